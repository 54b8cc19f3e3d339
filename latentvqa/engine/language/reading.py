"""Pretrained language models as they stand in their folders: shape, special ids, tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from latentvqa.config import Text
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import TextTokenizer, Tokenizers, train_tokenizers
from latentvqa.data.vocabularies.library import LibraryTokenizer
from latentvqa.errors import ConfigError, DataError
from latentvqa.models.language.library import LanguageModel, read_pretrained

_PROBE = "a"


@dataclass(frozen=True, eq=False)
class TextParts:
    """What reads and writes text in a new model.

    Attributes:
        tokenizers: of questions and answers.
        question_model: the pretrained question encoder; None for one from scratch.
        answer_model: the pretrained answer decoder; None for one from scratch.
    """

    tokenizers: Tokenizers
    question_model: LanguageModel | None
    answer_model: LanguageModel | None


def read_text_parts(text: Text, table: QuestionTable) -> TextParts:
    """Read the language models that a configuration names, and train what it does not name.

    Args:
        text: names and rules.
        table: training questions and answers.

    Raises:
        ConfigError: if a language model cannot be read.
    """
    trained = train_tokenizers(text, table)
    question, question_model = trained.question, None
    if text.encoder is not None:
        question_model, question = read_language_model(text.encoder, "text.encoder")
    answer, answer_model = trained.answer, None
    if text.decoder is not None:
        answer_model, answer = read_language_model(text.decoder, "text.decoder")
    language = text.language
    tokenizers = Tokenizers(question.spelling(language), answer.spelling(language))
    return TextParts(tokenizers, question_model, answer_model)


def read_language_model(source: str | Path, key: str) -> tuple[LanguageModel, TextTokenizer]:
    """Read shape and tokenizer of a model of the transformers library; no weights.

    Args:
        source: its folder, or ``hf-hub:OWNER/MODEL``.
        key: key of the configuration that names it.

    Raises:
        ConfigError: if it cannot be read, or its tokenizer cannot be kept in a checkpoint.
    """
    config = read_pretrained("AutoConfig", source, key)
    library = read_pretrained("AutoTokenizer", source, key)
    tokenizer = _kept(library, source, key)
    plain = library.encode(_PROBE, add_special_tokens=False)
    whole = library.encode(_PROBE, add_special_tokens=True)
    place = _place(plain, whole)
    end = _first(library.eos_token_id, library.sep_token_id, config.eos_token_id)
    padding = _first(library.pad_token_id, getattr(config, "pad_token_id", None), end)
    start = _first(
        getattr(config, "decoder_start_token_id", None),
        padding if getattr(config, "is_encoder_decoder", False) else None,
        library.bos_token_id,
        end,
    )
    vocabulary = int(getattr(config, "vocab_size", len(library)))
    unknown: int | None = library.unk_token_id
    model = LanguageModel(
        shape=json.loads(config.to_json_string(use_diff=False)),
        vocabulary=vocabulary,
        prefix=tuple(whole[:place]),
        suffix=tuple(whole[place + len(plain) :]),
        padding=padding,
        start=start,
        end=end,
        unknown=unknown if unknown is not None and unknown < vocabulary else None,
        specials=tuple(sorted(one for one in set(library.all_special_ids) if one < vocabulary)),
    )
    if max(model.padding, model.start, model.end, *model.prefix, *model.suffix) >= vocabulary:
        raise ConfigError(
            f"{key}: {source} has a tokenizer of another model: its special ids go beyond the "
            f"{vocabulary:,} that the model knows."
        )
    return model, tokenizer


def _kept(library: Any, source: str | Path, key: str) -> TextTokenizer:
    """A tokenizer of the library as a checkpoint keeps it, so that training has the same."""
    backend: Tokenizer | None = getattr(library, "backend_tokenizer", None)
    if backend is not None:
        return TextTokenizer.pretrained(backend)
    try:
        return TextTokenizer.pretrained(LibraryTokenizer.of(library))
    except DataError as error:
        raise ConfigError(
            f"{key}: {source} has a tokenizer that a checkpoint cannot keep: {error}. Use a model "
            "with a tokenizer.json."
        ) from error


def _place(part: list[int], whole: list[int]) -> int:
    """Where a list stands in another one."""
    for place in range(len(whole) - len(part) + 1):
        if whole[place : place + len(part)] == part:
            return place
    return 0


def _first(*values: Any) -> int:
    """The first value that is a number; some libraries give lists of ends."""
    for value in values:
        one = value[0] if isinstance(value, list) and value else value
        if isinstance(one, int):
            return one
    return 0
