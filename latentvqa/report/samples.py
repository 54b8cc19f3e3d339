"""Answers to a few validation questions after an epoch, as lines for people to read."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.report.text import escaped


def sample_lines(samples: Sequence[SampleAnswer], most: int, width: int) -> list[str]:
    """Some answers, taken evenly, each in a line that fits.

    Args:
        samples: answers after an epoch.
        most: lines at most.
        width: columns of a line; a long question is cut.
    """
    count = min(most, len(samples))
    chosen = [samples[place * len(samples) // count] for place in range(count)]
    return [_line(sample, width) for sample in chosen]


def _line(sample: SampleAnswer, width: int) -> str:
    said = f" -> {_one_line(sample.answer) or '(nothing)'} {sample.confidence:.2f}"
    judged = ", right" if sample.is_right else f", not {_one_line(sample.reference)}"
    question = _one_line(sample.question)
    room = max(10, width - len(said) - len(judged))
    if len(question) > room:
        question = f"{question[: room - 3]}..."
    return f"{question}{said}{judged}"


def _one_line(text: str) -> str:
    return escaped(" ".join(text.split()))
