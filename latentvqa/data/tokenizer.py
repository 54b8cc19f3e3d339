"""Word-level and byte-level text tokenizers, trained on the training split.

Four ids are reserved in every vocabulary. No text can produce them but the
unknown one: their names hold a space, which no token of a text does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from tokenizers import Tokenizer, models

from latentvqa.config import Text
from latentvqa.core.languages.spelling import has_spelling, spelt
from latentvqa.data.tables import QuestionTable
from latentvqa.data.vocabularies.building import (
    BOS,
    CHUNK,
    EOS,
    PAD,
    SPECIAL_NAMES,
    UNK,
    built_tokenizer,
)
from latentvqa.data.vocabularies.library import LibraryTokenizer, Vocabulary
from latentvqa.errors import DataError

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "UNK",
    "UNKNOWN_TEXT",
    "TextTokenizer",
    "Tokenizers",
    "train_tokenizers",
]

UNKNOWN_TEXT = "<unk>"
_BLOCK = 10_000

Kind = Literal["word", "bpe", "pretrained"]


class TextTokenizer:
    """Texts to token ids and back.

    Args:
        kind: ``word`` or ``bpe``, or ``pretrained`` for one of a language model, whose
            ids come after the reserved ones.
        tokenizer: the vocabulary and its rules.
        language: whose spelling every text is brought to; none where it has none here.
    """

    def __init__(self, kind: Kind, tokenizer: Vocabulary, language: str = ""):
        self.kind = kind
        self.language = language if has_spelling(language) else ""
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # their names in a text are text
        self._unread = {
            id_ for id_, one in tokenizer.get_added_tokens_decoder().items() if one.special
        }

    @classmethod
    def pretrained(cls, tokenizer: Tokenizer | LibraryTokenizer) -> TextTokenizer:
        """A pretrained tokenizer as it is, but that it neither cuts nor pads."""
        if isinstance(tokenizer, LibraryTokenizer):
            return cls("pretrained", tokenizer)
        own = Tokenizer.from_str(tokenizer.to_str())
        own.no_truncation()
        own.no_padding()
        return cls("pretrained", own)

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        *,
        kind: Kind,
        vocab_size: int,
        min_count: int,
        lowercase: bool,
        split_punctuation: bool,
        language: str = "",
    ) -> TextTokenizer:
        """Build a vocabulary from texts, the same for the same texts in any order.

        Args:
            texts: training texts, repeated as often as they occur.
            kind: whole words, or byte-level pairs without unknown text.
            vocab_size: most ids, the four reserved ones included; a byte-level
                vocabulary never has fewer than the 256 bytes.
            min_count: least occurrences of a word or a merged pair.
            lowercase: whether case is dropped.
            split_punctuation: whether punctuation marks are words of their own
                (word level only).
            language: whose spelling the texts are brought to; empty for none.

        Raises:
            DataError: if no text is given or the vocabulary has no room.
        """
        tokenizer = built_tokenizer(
            [spelt(text, language) for text in texts],
            kind=kind,
            vocab_size=vocab_size,
            min_count=min_count,
            lowercase=lowercase,
            split_punctuation=split_punctuation,
        )
        return cls(kind, tokenizer, language)

    def after(self, known: TextTokenizer, vocab_size: int) -> TextTokenizer:
        """The vocabulary of another tokenizer, with the words that only this one has after it.

        Args:
            known: keeps its ids; one that knows every text is given back, with the
                spelling of this one.
            vocab_size: most ids; never fewer than ``known`` has.
        """
        if known.kind != "word" or self.kind != "word":
            return known.spelling(self.language)
        names = sorted(known._tokenizer.get_vocab().items(), key=lambda item: item[1])
        new = sorted(self._tokenizer.get_vocab().items(), key=lambda item: item[1])
        joined = dict.fromkeys([*(name for name, _ in names), *(name for name, _ in new)])
        most = max(vocab_size, len(names))
        vocabulary = {name: place for place, name in enumerate(list(joined)[:most])}
        whole = Tokenizer.from_str(known._tokenizer.to_str())
        whole.model = models.WordLevel(vocabulary, unk_token=SPECIAL_NAMES[UNK])
        return TextTokenizer("word", whole, self.language)

    def spelling(self, language: str) -> TextTokenizer:
        """The same vocabulary for texts in the spelling of a language; empty for none."""
        other = TextTokenizer(self.kind, self._tokenizer, language)
        return self if other.language == self.language else other

    @property
    def size(self) -> int:
        """Number of ids, the reserved ones included."""
        size = self._tokenizer.get_vocab_size()
        return size + len(SPECIAL_NAMES) if self.kind == "pretrained" else size

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of each text, without reserved ids but UNK."""
        if self.kind != "word":
            return self._encode(texts)
        # few words make many texts: each is encoded once
        cut = [CHUNK.findall(text) for text in texts]
        chunks = list(dict.fromkeys(chain.from_iterable(cut)))
        ids_of = dict(zip(chunks, self._encode(chunks), strict=True))
        return [[token for chunk in row for token in ids_of[chunk]] for row in cut]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text up to the end token, without padding and start token.

        An unknown word is shown as ``<unk>``, so that it equals no answer.
        """
        kept: list[int] = []
        for token in map(int, ids):
            if token == EOS:
                break
            if token not in (PAD, BOS):
                kept.append(token)
        return spelt(self._decode(kept), self.language)

    def _decode(self, kept: Sequence[int]) -> str:
        if self.kind != "word":
            first = len(SPECIAL_NAMES) if self.kind == "pretrained" else 0
            text = str(self._tokenizer.decode([token - first for token in kept if token != UNK]))
            return text.strip() if self.kind == "pretrained" else text
        words = (None if token == UNK else self._tokenizer.id_to_token(token) for token in kept)
        return " ".join(word or UNKNOWN_TEXT for word in words)

    def token_count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return len(self._encode([text])[0])

    def to_json(self) -> str:
        """Return everything that :meth:`from_json` needs."""
        state = {"kind": self.kind, "tokenizer": json.loads(self._tokenizer.to_str())}
        return json.dumps(state | ({"language": self.language} if self.language else {}))

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = []
        for start in range(0, len(texts), _BLOCK):
            block = [spelt(text, self.language) for text in texts[start : start + _BLOCK]]
            encodings = self._tokenizer.encode_batch_fast(block, add_special_tokens=False)
            ids.extend(encoding.ids for encoding in encodings)
        if self.kind != "pretrained":
            return ids
        first = len(SPECIAL_NAMES)
        return [[UNK if one in self._unread else one + first for one in row] for row in ids]

    @classmethod
    def from_json(cls, text: str) -> TextTokenizer:
        """Rebuild a tokenizer from :meth:`to_json`.

        Raises:
            DataError: if the text is no tokenizer.
        """
        return cls._from_state(_parsed(text))

    @classmethod
    def _from_state(cls, state: Any) -> TextTokenizer:
        try:
            kind, language = state["kind"], state.get("language", "")
            kept = state["tokenizer"]
            is_files = kind == "pretrained" and "files" in kept
            tokenizer = None if is_files else Tokenizer.from_str(json.dumps(kept))
        except Exception as error:  # the library raises plain Exception for bad JSON
            raise DataError(f"not a tokenizer of LatentVQA: {error}") from error
        if kind not in ("word", "bpe", "pretrained"):
            raise DataError(f"not a tokenizer of LatentVQA: kind {kind!r}")
        if language and not has_spelling(language):
            raise DataError(f"not a tokenizer of LatentVQA: language {language!r}")
        return cls(kind, tokenizer or LibraryTokenizer.from_state(kept), language)


@dataclass(frozen=True, eq=False)
class Tokenizers:
    """The tokenizer of the questions and that of the answers."""

    question: TextTokenizer
    answer: TextTokenizer

    def rules_of(self, language: str) -> str:
        """The language whose rules answers are compared by; empty for none.

        A run that began before its language had a spelling goes on without it.

        Args:
            language: as the run's configuration names it.
        """
        return self.answer.language if has_spelling(language) else language

    def to_json(self) -> str:
        """Return both as one JSON object, the content of ``tokenizer.json``."""
        parts = {"question": self.question, "answer": self.answer}
        return json.dumps({name: json.loads(part.to_json()) for name, part in parts.items()})

    @classmethod
    def from_json(cls, text: str) -> Tokenizers:
        """Rebuild the pair from :meth:`to_json`.

        Raises:
            DataError: if the text does not hold two tokenizers.
        """
        state = _parsed(text)
        if not isinstance(state, dict) or not {"question", "answer"} <= state.keys():
            raise DataError("not a tokenizer of LatentVQA: no question and answer part")
        return cls(
            TextTokenizer._from_state(state["question"]), TextTokenizer._from_state(state["answer"])
        )


def train_tokenizers(text: Text, table: QuestionTable) -> Tokenizers:
    """Train both vocabularies on the questions and targets of a table.

    Args:
        text: kind, size and rules.
        table: what is trained on.
    """
    shared: dict[str, Any] = {
        "kind": text.tokenizer,
        "vocab_size": text.vocabulary_size,
        "min_count": text.min_count,
        "lowercase": text.lowercase,
        "language": text.language,
    }
    return Tokenizers(
        question=TextTokenizer.train(table.questions, split_punctuation=True, **shared),
        answer=TextTokenizer.train(table.targets, split_punctuation=False, **shared),
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"not a tokenizer of LatentVQA: {error}") from error
