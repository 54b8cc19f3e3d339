"""The named ways to score an answer, each with what it means.

A number is comparable only with numbers of the same protocol, so that every
output carries the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, partial

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from latentvqa.core.answers.matching import anls, token_f1
from latentvqa.core.answers.vqa_official import FEWEST_REFERENCES, vqa_official
from latentvqa.core.estimates import Estimate
from latentvqa.core.languages.spelling import spelt
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.metrics.intervals import (
    estimate_of,
    image_resamples,
    mean_with_interval,
)

PROTOCOLS = {
    "exact_match": "equals a reference after Unicode NFC, caseless, outer punctuation off",
    "vqa_official": "VQA challenge, leave-one-out over the references, its English rules",
    "token_f1": "best word-overlap F1 over the references (SQuAD)",
    "anls": "1 - edits / longer length, nearest reference, 0 unless above 0.5 (Biten et al. 2019)",
    "bleu": "corpus BLEU by sacrebleu, shorter n-grams where answers have no longer ones",
}
_ORDERS = 4
_BLEU_RESAMPLES = 500


def protocol_meanings(names: Iterable[str]) -> dict[str, str]:
    """What each protocol among some names means, and what sacrebleu states with its numbers."""
    meanings = {name: meaning for name, meaning in PROTOCOLS.items() if name in set(names)}
    if "bleu" not in meanings:
        return meanings
    return {**meanings, "bleu_signature": str(_bleu().get_signature())}


def protocol_scores(
    answers: Sequence[str], is_right: np.ndarray, table: QuestionTable, language: str
) -> dict[str, Estimate]:
    """Score answers by every protocol that applies.

    Args:
        answers: answer of each row.
        is_right: 1 where that equals a reference, else 0, shape ``(rows,)``.
        table: the rows; official VQA accuracy needs four references in each,
            BLEU four words in a reference of half of them.
        language: whose rules normalisation may use; empty for none.
    """
    alike = cache(partial(spelt, language=language))
    answers = [alike(answer) for answer in answers]
    references = [tuple(alike(one) for one in wanted) for wanted in table.answers]
    rows, images = list(zip(answers, references, strict=True)), table.image_index
    found = {
        "exact_match": mean_with_interval(is_right, images),
        "token_f1": mean_with_interval(
            np.array([token_f1(answer, wanted, language) for answer, wanted in rows]), images
        ),
    }
    if all(len(wanted) >= FEWEST_REFERENCES for wanted in references):
        official = np.array([vqa_official(answer, wanted) for answer, wanted in rows])
        found["vqa_official"] = mean_with_interval(official, images)
    similarity = cache(anls)
    found["anls"] = mean_with_interval(
        np.array([similarity(answer, wanted) for answer, wanted in rows]), images
    )
    if _long_share(references) >= 0.5:
        found["bleu"] = corpus_bleu(answers, references, images)
    return found


def corpus_bleu(
    answers: Sequence[str], references: Sequence[tuple[str, ...]], images: np.ndarray
) -> Estimate:
    """Corpus BLEU, from 0 to 1, with a bootstrap over images.

    Args:
        answers: answer of each row.
        references: references of each row.
        images: image of each row, shape ``(rows,)``.
    """
    statistics = cache(_statistics)
    counts = np.array([statistics(a, r) for a, r in zip(answers, references, strict=True)])
    names, index = np.unique(images, return_inverse=True)
    by_image = np.zeros((len(names), counts.shape[1]))
    np.add.at(by_image, index, counts)
    resampled = [_bleu_of(w @ by_image) for w in image_resamples(len(names), _BLEU_RESAMPLES)]
    value = _bleu_of(counts.sum(0))
    return estimate_of(value, np.array(resampled), rows=len(answers), images=len(names))


def _long_share(references: Sequence[tuple[str, ...]]) -> float:
    """Share of rows with a reference of as many words as BLEU's longest n-grams."""
    longest = [max(len(one.split()) for one in wanted) for wanted in references]
    return sum(words >= _ORDERS for words in longest) / len(longest)


@cache
def _bleu() -> BLEU:
    return BLEU(lowercase=True, effective_order=True)


def _statistics(answer: str, references: tuple[str, ...]) -> tuple[int, ...]:
    """Matching and possible n-grams of each order, and both lengths."""
    score = _bleu().sentence_score(answer, list(references))
    return (*score.counts, *score.totals, score.sys_len, score.ref_len)


def _bleu_of(sums: np.ndarray) -> float:
    correct, total = sums[:_ORDERS].astype(int), sums[_ORDERS : 2 * _ORDERS].astype(int)
    score = BLEU.compute_bleu(
        correct=correct.tolist(),
        total=total.tolist(),
        sys_len=int(sums[-2]),
        ref_len=int(sums[-1]),
        smooth_method="exp",
        effective_order=True,
    )
    return float(score.score) / 100.0
