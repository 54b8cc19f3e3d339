"""Facts about question tables, one by one and against each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain

import numpy as np
import pandas as pd

from latentvqa.core.answers.matching import normalise_answer, normalised_references
from latentvqa.core.audit.facts import PairFacts, TableFacts, TopAnswer
from latentvqa.core.languages.spelling import spelt
from latentvqa.data.audit.blind import left_out_scores, scores_of
from latentvqa.data.audit.leaks import KnownImages, rows_of
from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import BlindModels
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import UNK, Tokenizers

WHOLE = "all"


def table_facts(
    table: QuestionTable,
    tokenizers: Tokenizers,
    max_question_tokens: int,
    max_answer_tokens: int,
    fitted: BlindModels | None = None,
    language: str = "",
) -> TableFacts:
    """Measure one table.

    Args:
        table: the questions, all with answers or all without.
        tokenizers: of the table that is trained on.
        max_question_tokens: longer questions are cut.
        max_answer_tokens: longer answers are cut.
        fitted: image-blind models of the table that is trained on; None where it
            is this one, whose images are then left out part by part.
        language: whose rules texts are compared by; empty for none.
    """
    encoded = EncodedTable(table, tokenizers, max_question_tokens, max_answer_tokens)
    is_repeated, is_contradicted = _repeats(table, language)
    references = normalised_references(table.answers, language)
    priors, top_answers = {}, {}
    if has_answers(table):
        top_answers = _top_answers(references, table.types)
        if fitted is None:
            priors = left_out_scores(table, tokenizers, max_answer_tokens, language)
        else:
            priors = scores_of(table, tokenizers, max_answer_tokens, fitted, language)
    return TableFacts(
        name=str(table.path),
        rows=len(table),
        images=len(table.image_names),
        answers=len(set(chain.from_iterable(references))),
        duplicates=rows_of(table, is_repeated),
        conflicts=rows_of(table, is_contradicted),
        top_answers=top_answers,
        priors=priors,
        truncated_questions=rows_of(table, encoded.is_question_cut),
        truncated_answers=rows_of(table, encoded.is_answer_cut),
        unknown_words=_unknown_words(encoded),
    )


def pair_facts(
    train: QuestionTable, other: QuestionTable, known: KnownImages | None, language: str = ""
) -> PairFacts:
    """Measure a later table against the one that is trained on.

    Args:
        train: the first table.
        other: the later one.
        known: what their images show; None where they were not read.
        language: whose rules answers are compared by; empty for none.
    """
    paths = set(train.image_paths)
    by_path = np.array([path in paths for path in other.image_paths])
    contents = near = None
    if known is not None:
        copied, alike = known.found_in(other, train.image_paths)
        contents = rows_of(other, (copied & ~by_path)[other.image_index])
        near = rows_of(other, (alike & ~by_path)[other.image_index])
    unseen = None
    if has_answers(other):
        trained = set(chain.from_iterable(normalised_references(train.answers, language)))
        given = normalised_references(other.answers, language)
        unseen = rows_of(other, np.array([trained.isdisjoint(row) for row in given]))
    return PairFacts(
        train=str(train.path),
        other=str(other.path),
        leaked_paths=rows_of(other, by_path[other.image_index]),
        copied_contents=contents,
        unseen_answers=unseen,
        near_copies=near,
    )


def has_answers(table: QuestionTable) -> bool:
    """Whether every row has an answer."""
    return all(table.answers)


def _repeats(table: QuestionTable, language: str) -> tuple[np.ndarray, np.ndarray]:
    """Which rows repeat an earlier one, and which share no answer with another."""
    code_of: dict[tuple[str, ...], int] = {}
    answers = [
        code_of.setdefault(
            tuple(sorted(normalise_answer(text, language) for text in row)), len(code_of)
        )
        for row in table.answers
    ]
    given = [frozenset(references) for references in code_of]
    asked = [spelt(normalise_answer(text), language) for text in table.questions]
    questions, _ = pd.factorize(np.array(asked, object))
    frame = pd.DataFrame({"image": table.image_index, "question": questions, "answer": answers})
    groups = frame.groupby(["image", "question"], sort=False)
    number = groups.ngroup().to_numpy()
    has_several = (groups["answer"].transform("nunique") > 1).to_numpy()
    given_in: defaultdict[int, set[int]] = defaultdict(set)
    places = np.flatnonzero(has_several).tolist()
    for place in places:
        given_in[number[place]].add(answers[place])
    is_contradicted = np.zeros(len(frame), dtype=bool)
    for place in places:
        mine = given[answers[place]]
        is_contradicted[place] = any(
            mine.isdisjoint(given[code]) for code in given_in[number[place]]
        )
    return frame.duplicated().to_numpy(), is_contradicted


def _top_answers(
    references: list[tuple[str, ...]], types: list[str] | None
) -> dict[str, TopAnswer]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    rows: Counter[str] = Counter()
    for kind, row in zip(types or [WHOLE] * len(references), references, strict=True):
        counts[kind].update(row)
        rows[kind] += 1
    found = {}
    for kind in sorted(counts):
        answer, times = counts[kind].most_common(1)[0]
        found[kind] = TopAnswer(rows[kind], answer, times / rows[kind])
    return found


def _unknown_words(encoded: EncodedTable) -> float:
    """Share of unknown words among those of the questions, as far as they are kept."""
    words = unknown = 0
    for row in range(len(encoded)):
        ids = encoded.question_ids(row)
        words += len(ids)
        unknown += ids.count(UNK)
    return unknown / words
