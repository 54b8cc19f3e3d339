"""Facts about question tables, one by one and against each other."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pandas as pd

from latentvqa.core.answers import normalise_answer
from latentvqa.core.audit_rules import PairFacts, TableFacts
from latentvqa.core.priors import blind_priors
from latentvqa.data.batches import EncodedTable
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import UNK, Tokenizers

WHOLE = "all"


def table_facts(
    table: QuestionTable,
    tokenizers: Tokenizers,
    max_question_tokens: int,
    max_answer_tokens: int,
) -> TableFacts:
    """Measure one table.

    Args:
        table: the questions, with answers.
        tokenizers: of the table that is trained on.
        max_question_tokens: longer questions are cut.
        max_answer_tokens: longer answers are cut.
    """
    rows = len(table)
    encoded = EncodedTable(table, tokenizers, max_question_tokens, max_answer_tokens)
    targets = [normalise_answer(target) for target in table.targets]
    duplicates, conflicts = _repeats(table)
    return TableFacts(
        name=str(table.path),
        rows=rows,
        images=len(table.image_names),
        answers=len(set(targets)),
        duplicates=duplicates,
        conflicts=conflicts,
        top_answers=_top_answers(targets, table.types),
        priors=blind_priors(
            table.questions, table.types, table.answers, table.image_index.tolist()
        ),
        truncated_questions=encoded.truncated_questions / rows,
        truncated_answers=encoded.truncated_answers / rows,
        unknown_words=_unknown_words(encoded),
    )


def pair_facts(
    train: QuestionTable,
    other: QuestionTable,
    train_hashes: dict[str, str],
    other_hashes: dict[str, str],
) -> PairFacts:
    """Measure a later table against the one that is trained on.

    Args:
        train: the first table.
        other: the later one.
        train_hashes: SHA-256 of the files of the first, by image name; empty
            where the images were not read.
        other_hashes: the same of the later one.
    """
    trained = {normalise_answer(text) for row in train.answers for text in row}
    is_known = [any(normalise_answer(text) in trained for text in row) for row in other.answers]
    names = set(train.image_names)
    by_path = np.array([name in names for name in other.image_names])
    contents = None
    if train_hashes and other_hashes:
        known = set(train_hashes.values())
        copied = np.array([other_hashes.get(name) in known for name in other.image_names])
        contents = float((by_path | copied)[other.image_index].mean())
    return PairFacts(
        train=str(train.path),
        other=str(other.path),
        leaked_paths=float(by_path[other.image_index].mean()),
        leaked_contents=contents,
        upper_bound=sum(is_known) / len(is_known),
    )


def _repeats(table: QuestionTable) -> tuple[float, float]:
    """Shares of rows that repeat an earlier one, and that share no answer with another."""
    place: dict[tuple[str, ...], int] = {}
    answers = [
        place.setdefault(tuple(sorted(map(normalise_answer, row))), len(place))
        for row in table.answers
    ]
    given = [set(references) for references in place]
    questions, _ = pd.factorize(np.array(list(map(normalise_answer, table.questions)), object))
    frame = pd.DataFrame({"image": table.image_index, "question": questions, "answer": answers})
    groups = frame.groupby(["image", "question"])["answer"]
    several = frame[groups.transform("nunique") > 1]
    conflicting = 0
    for _, codes in several.groupby(["image", "question"])["answer"]:
        sets = [given[code] for code in codes]
        conflicting += sum(any(one.isdisjoint(other) for other in sets) for one in sets)
    return float(frame.duplicated().mean()), conflicting / len(frame)


def _top_answers(targets: list[str], types: list[str] | None) -> dict[str, tuple[int, str, float]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind, target in zip(types or [WHOLE] * len(targets), targets, strict=True):
        counts[kind][target] += 1
    found = {}
    for kind in sorted(counts):
        (answer, times), rows = counts[kind].most_common(1)[0], counts[kind].total()
        found[kind] = (rows, answer, times / rows)
    return found


def _unknown_words(encoded: EncodedTable) -> float:
    """Share of unknown words among those of the questions, as far as they are kept."""
    words = unknown = 0
    for row in range(len(encoded)):
        ids = encoded.question_ids(row)
        words += len(ids)
        unknown += ids.count(UNK)
    return unknown / words
