"""What models without images reach on the tables of an audit.

They are never scored on images that they were fitted to. Of a large table, images
drawn at random stand for all, each with all of its rows; the same in every audit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import BlindModels, fit_blind_models, left_out_matches
from latentvqa.data.blind.rows import BlindRows, blind_rows
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import Tokenizers

MOST_FITTED = 200_000  # rows whose answers are counted
MOST_WORD_ROWS = 10_000  # that the model of the question's words is fitted to
MOST_SCORED = 50_000
ENOUGH_SCORED = 10_000  # one percentage point, at ten rows an image


def fit_to(
    table: QuestionTable, tokenizers: Tokenizers, max_answer_tokens: int, language: str = ""
) -> BlindModels:
    """Fit the models that later tables are scored with to the one that is trained on."""
    rows = _rows(_sample(table, MOST_FITTED), tokenizers, max_answer_tokens, language)
    return fit_blind_models(rows, tokenizers.answer.size, most_word_rows=MOST_WORD_ROWS)


def scores_of(
    table: QuestionTable,
    tokenizers: Tokenizers,
    max_answer_tokens: int,
    models: BlindModels,
    language: str = "",
) -> dict[str, float]:
    """Exact match of each model on a later table."""
    sample = _sample(table, MOST_SCORED)
    return _shares(models.matches(_rows(sample, tokenizers, max_answer_tokens, language)))


def left_out_scores(
    table: QuestionTable, tokenizers: Tokenizers, max_answer_tokens: int, language: str = ""
) -> dict[str, float]:
    """Exact match within one table, by models of its other images; empty with a single image."""
    sample = _sample(table, MOST_FITTED + MOST_SCORED)
    return _shares(
        left_out_matches(
            _rows(sample, tokenizers, max_answer_tokens, language),
            tokenizers.answer.size,
            most_word_rows=MOST_WORD_ROWS,
            enough=ENOUGH_SCORED,
        )
    )


def _sample(table: QuestionTable, most: int) -> QuestionTable:
    """All rows of images drawn at random: two at least, and no more rows than that if they can."""
    if len(table) <= most:
        return table
    order = np.random.default_rng(0).permutation(len(table.image_paths))
    is_drawn = np.bincount(table.image_index)[order].cumsum() <= most
    is_drawn[:2] = True
    is_kept = np.zeros(len(order), dtype=bool)
    is_kept[order[is_drawn]] = True
    return table.select(np.flatnonzero(is_kept[table.image_index]))


def _rows(
    table: QuestionTable, tokenizers: Tokenizers, max_answer_tokens: int, language: str
) -> BlindRows:
    """The rows of a table; of the questions, their text alone matters."""
    return blind_rows(EncodedTable(table, tokenizers, 1, max_answer_tokens), language)


def _shares(matches: Mapping[str, NDArray[np.bool_]]) -> dict[str, float]:
    return {name: float(right.mean()) for name, right in matches.items()}
