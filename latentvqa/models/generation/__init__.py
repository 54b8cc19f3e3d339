"""Answers written freely, or chosen from a closed list."""

from latentvqa.models.generation.answer_trie import AnswerTrie
from latentvqa.models.generation.search import Beams, Generated, generate, search_beams

__all__ = ["AnswerTrie", "Beams", "Generated", "generate", "search_beams"]
