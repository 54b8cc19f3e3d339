"""Which answers are taken for which: the most frequent ones, and all others as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST_ANSWERS = 10
OTHER = "other"


@dataclass(frozen=True)
class Confusion:
    """Counts of expected and given answers.

    Attributes:
        answers: the most frequent expected ones, the most frequent first.
        counts: a row for each of these and last one for all others; in each the
            answers in the same order, and last all others.
    """

    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def confusion_of(pairs: Iterable[tuple[str, str]], most: int = MOST_ANSWERS) -> Confusion | None:
    """Count expected and given answers.

    Args:
        pairs: the expected answer and the given one, in a form in which answers
            are compared.
        most: answers that have a row of their own.

    Returns:
        The counts; None where fewer than two answers are expected.
    """
    times = Counter(pairs)
    expected: Counter[str] = Counter()
    for (wanted, _), number in times.items():
        expected[wanted] += number
    if len(expected) < 2:
        return None
    # of answers that are as frequent the first by its letters, so that the order is the same
    ordered = sorted(expected, key=lambda answer: (-expected[answer], answer))
    answers = ordered[: most if len(ordered) > most + 1 else most + 1]
    place = {answer: number for number, answer in enumerate(answers)}
    counts = [[0] * (len(answers) + 1) for _ in range(len(answers) + 1)]
    for (wanted, given), number in times.items():
        counts[place.get(wanted, -1)][place.get(given, -1)] += number
    return Confusion(tuple(answers), tuple(tuple(row) for row in counts))


def confusion_view(found: Confusion) -> dict[str, Any]:
    """The same for the template: each cell with its count, its share of the row and its kind.

    Rows and columns of other answers are left out where they are empty.
    """
    last = len(found.answers)
    names = [*found.answers, OTHER]
    columns = [
        place for place in range(last + 1) if place < last or any(row[-1] for row in found.counts)
    ]
    rows = []
    for place, counts in enumerate(found.counts):
        total = sum(counts)
        if place == last and not total:
            continue
        cells = [
            {
                "count": counts[column],
                "heat": 0 if not total else round(100 * counts[column] / total),
                "kind": _kind(place, column, last),
                "told": f"expected {names[place]}, answered {names[column]}: "
                f"{counts[column]:,} of {total:,}",
            }
            for column in columns
        ]
        rows.append(
            {"name": names[place], "total": total, "cells": cells, "is_other": place == last}
        )
    return {"names": [names[column] for column in columns], "rows": rows, "last": last}


def _kind(row: int, column: int, last: int) -> str:
    """Right, wrong, or unclear: two other answers may be the same or not."""
    if row == column:
        return "right" if row < last else "unclear"
    return "wrong"
