"""Questions to ids and ids to answers, for programs that have no tokenizer of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from latentvqa.core.languages.spelling import other_spellings
from latentvqa.data.tokenizer import BOS, EOS, PAD, UNK, UNKNOWN_TEXT, TextTokenizer, Tokenizers
from latentvqa.errors import CheckpointError

WORDS_FILE = "tokens.json"
QUESTION_FILE, ANSWER_FILE = "question_tokenizer.json", "answer_tokenizer.json"
VOCABULARY_FILES = (WORDS_FILE, QUESTION_FILE, ANSWER_FILE)


@dataclass(frozen=True)
class Vocabularies:
    """Both vocabularies of a model.

    Attributes:
        files: content by name: all words in one file, or two of the tokenizers
            library.
        question: how a question is cut into what the vocabulary knows.
        answer: how ids become an answer.
    """

    files: Mapping[str, bytes]
    question: Mapping[str, Any]
    answer: Mapping[str, Any]


def vocabularies_of(tokenizers: Tokenizers, source: object) -> Vocabularies:
    """Both vocabularies as they are written.

    Args:
        tokenizers: those of the model.
        source: what messages call the model.

    Raises:
        CheckpointError: if their rules cannot be told in a file.
    """
    question, answer = tokenizers.question, tokenizers.answer
    if question.kind != "word" and question.language:
        raise CheckpointError(
            f"{source}: its questions are cut into bytes after a spelling rule (text.language = "
            f'"{question.language}") that no file can hold; train with text.tokenizer = "word" '
            "for an export."
        )
    facts = {"kind": question.kind, "unknown": UNK}
    if question.kind != "word":
        return Vocabularies(
            files={
                QUESTION_FILE: _json(_library_state(question)),
                ANSWER_FILE: _json(_library_state(answer)),
            },
            question={**facts, "file": QUESTION_FILE},
            answer={**facts, "file": ANSWER_FILE},
        )
    held = {"question": _question_words(question), "answer": _answer_words(answer)}
    rules = _rules(question)
    return Vocabularies(
        files={WORDS_FILE: _json(held)},
        question={**facts, "file": WORDS_FILE, **rules},
        answer={**facts, "file": WORDS_FILE},
    )


def _rules(tokenizer: TextTokenizer) -> dict[str, bool]:
    """What is done to a text before its words are looked up, besides NFC."""
    state = _library_state(tokenizer)
    normalizers = {one["type"] for one in state["normalizer"]["normalizers"]}
    cuts = {one["type"] for one in state["pre_tokenizer"]["pretokenizers"]}
    return {"lowercase": "Lowercase" in normalizers, "split_punctuation": "Punctuation" in cuts}


def _question_words(tokenizer: TextTokenizer) -> dict[str, int]:
    """The id of every word, and of other spellings of it, which then need no rule."""
    words = _words(tokenizer)
    others = {
        other: place
        for word, place in words.items()
        for other in other_spellings(word, tokenizer.language)
    }
    return {**others, **words}


def _answer_words(tokenizer: TextTokenizer) -> list[str]:
    """What is written for every id; nothing for those that are no word."""
    texts = [""] * tokenizer.size
    for word, place in _words(tokenizer).items():
        texts[place] = word
    texts[UNK] = UNKNOWN_TEXT
    return texts


def _words(tokenizer: TextTokenizer) -> dict[str, int]:
    vocabulary: dict[str, int] = _library_state(tokenizer)["model"]["vocab"]
    reserved = (PAD, BOS, EOS, UNK)
    return {word: place for word, place in vocabulary.items() if place not in reserved}


def _library_state(tokenizer: TextTokenizer) -> Any:
    """What the tokenizers library reads."""
    return json.loads(tokenizer.to_json())["tokenizer"]


def _json(held: Any) -> bytes:
    return json.dumps(held, ensure_ascii=False, indent=1).encode() + b"\n"
