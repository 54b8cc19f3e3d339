"""Tokenizers that are code of the transformers library, kept as the plain files they read.

Some models have no ``tokenizer.json``: PhoBERT and BARTpho among them. A copy of
their files goes into the checkpoint as text, and the library's own class reads it
again, so that the ids are the library's.
"""

from __future__ import annotations

import importlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tokenizers import AddedToken

from latentvqa.errors import ConfigError, DataError


class Encoded(Protocol):
    """Token ids of one text."""

    @property
    def ids(self) -> list[int]:
        """Ids of its tokens."""


class Vocabulary(Protocol):
    """What is asked of ``tokenizers.Tokenizer``, and what stands in for it here."""

    encode_special_tokens: bool

    def encode_batch_fast(self, input: list[str], *, add_special_tokens: bool) -> Sequence[Encoded]:
        """Ids of each text."""

    def decode(self, ids: list[int]) -> str:
        """Text of ids; special ones are left out."""

    def id_to_token(self, id: int) -> str | None:
        """Name of an id; None where there is none."""

    def get_vocab(self) -> dict[str, int]:
        """Ids by their names."""

    def get_vocab_size(self) -> int:
        """Number of ids."""

    def get_added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Tokens that were named one by one, special ones among them."""

    def to_str(self) -> str:
        """All of it as JSON."""


@dataclass(frozen=True)
class _Ids:
    ids: list[int]


class LibraryTokenizer:
    """A tokenizer by the name of its class in the library, and its files.

    It answers as a ``tokenizers.Tokenizer`` does; the names of special tokens in a
    text are text.

    Args:
        class_name: name of the class in ``transformers``.
        files: content of each file by its name.

    Raises:
        ConfigError: if the library, or one that the class needs, is not installed.
        DataError: if there is no such class, or its files cannot be read.
    """

    encode_special_tokens = True

    def __init__(self, class_name: str, files: Mapping[str, bytes]) -> None:
        self._class_name, self._files = class_name, dict(files)
        self._library = _read(_class_named(class_name), self._files)
        self._specials = set(self._library.all_special_ids)

    @classmethod
    def of(cls, tokenizer: Any) -> LibraryTokenizer:
        """Keep a tokenizer of the library.

        Raises:
            DataError: if it does not come back the same from its own files.
        """
        name = type(tokenizer).__name__
        with TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            files = {one.name: one.read_bytes() for one in Path(folder).iterdir() if one.is_file()}
        kept = cls(name, files)
        if kept.get_vocab() != tokenizer.get_vocab():
            raise DataError(f"a tokenizer {name} does not come back the same from its own files")
        return kept

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> LibraryTokenizer:
        """Rebuild what :meth:`to_str` gave, read as JSON.

        Raises:
            ConfigError: if the library, or one that the class needs, is not installed.
            DataError: if it is no such thing.
        """
        try:
            name = str(state["class"])
            files = {
                str(one): b64decode(text, validate=True) for one, text in state["files"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"not a tokenizer of LatentVQA: {error}") from error
        return cls(name, files)

    def encode_batch_fast(
        self, input: list[str], *, add_special_tokens: bool = False
    ) -> list[_Ids]:
        """Ids of each text; special ones are never added."""
        library = self._library
        return [
            _Ids(library.convert_tokens_to_ids(library.tokenize(text, split_special_tokens=True)))
            for text in input
        ]

    def decode(self, ids: list[int]) -> str:
        """Text of ids, without special ones and without those that have no name."""
        size = len(self._library)
        known = [one for one in ids if one not in self._specials and one < size]
        names = self._library.convert_ids_to_tokens(known)
        return str(self._library.convert_tokens_to_string(names))

    def id_to_token(self, id: int) -> str | None:
        """Name of an id; None where there is none."""
        return str(self._library.convert_ids_to_tokens(id)) if id < len(self._library) else None

    def get_vocab(self) -> dict[str, int]:
        """Ids by their names."""
        return dict(self._library.get_vocab())

    def get_vocab_size(self) -> int:
        """Number of ids."""
        return len(self._library)

    def get_added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The special tokens by their ids."""
        return {one: AddedToken(str(self.id_to_token(one)), special=True) for one in self._specials}

    def to_str(self) -> str:
        """Class and files as JSON."""
        files = {name: b64encode(content).decode() for name, content in self._files.items()}
        return json.dumps({"class": self._class_name, "files": files})


def _class_named(name: str) -> Any:
    """A tokenizer class of the library itself; nothing else is ever run."""
    try:
        library = importlib.import_module("transformers")
    except ImportError as error:
        raise ConfigError(
            f"the tokenizer {name} needs the transformers library, which is not installed "
            f'({error}). Install it with: pip install "latentvqa[hf]"'
        ) from error
    try:
        found = getattr(library, name, None)
    except (ImportError, RuntimeError):  # its module cannot be imported
        found = None
    if _is_missing_a_library(found):
        raise ConfigError(
            f"the tokenizer {name} needs a library that is not installed, sentencepiece most "
            'likely. Install it with: pip install "latentvqa[hf]"'
        )
    if not isinstance(found, type) or not issubclass(found, library.PreTrainedTokenizer):
        raise DataError(
            f"the tokenizer {name} is none of the installed transformers {library.__version__}"
        )
    return found


def _is_missing_a_library(found: Any) -> bool:
    # the library puts a stand-in of this kind where a class needs what is not installed
    return type(found).__name__ == "DummyObject"


def _read(kind: Any, files: Mapping[str, bytes]) -> Any:
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            if Path(name).name != name or name in ("", ".", ".."):
                raise DataError(f"not a tokenizer of LatentVQA: a file named {name!r}")
            (Path(folder) / name).write_bytes(content)
        try:
            return kind.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # the library raises whatever it likes
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise DataError(
                f"the files of a tokenizer {kind.__name__} cannot be read: {reason}"
            ) from error
