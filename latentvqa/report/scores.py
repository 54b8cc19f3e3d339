"""Scores of an evaluation as a rich table: measures, priors, types."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

Measured = Mapping[str, float | int]

_LABELS = {
    "exact_match": "exact match",
    "token_f1": "token F1",
    "vqa_official": "VQA accuracy (official)",
    "answer_nll": "answer loss (nats per answer)",
    "exact_match_latents_shuffled": "exact match, latents shuffled",
}
_PRIOR_LABELS = {
    "global": "image-blind prior: most frequent answer",
    "type": "image-blind prior: per question type",
    "question_text": "image-blind prior: per question text",
}


def score_table(
    *,
    title: str,
    measures: Mapping[str, Measured],
    priors: Mapping[str, float],
    best_prior: tuple[str, float],
    types: Mapping[str, tuple[Measured, float]],
) -> Group:
    """Lay out what ``evaluate`` found; shares become percent here.

    Args:
        title: what was scored.
        measures: value, low and high of each protocol.
        priors: exact match of each image-blind prior.
        best_prior: name and exact match of the best of them.
        types: per question type the exact match and its best prior.
    """
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("measure", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for name, measure in measures.items():
        is_share = name != "answer_nll"
        table.add_row(_LABELS[name], _figure(measure["value"], is_share), _range(measure, is_share))
    for name, prior in priors.items():
        table.add_row(_PRIOR_LABELS[name], _figure(prior, True), "")
    gain = measures["exact_match"]["value"] - best_prior[1]
    sentence = Text(
        f"{gain * 100:+.1f} points over the best image-blind prior "
        f"({best_prior[0].replace('_', ' ')}, {best_prior[1] * 100:.1f} %)",
        style="bold green" if gain > 0 else "bold red",
    )
    if not types:
        return Group(table, sentence)
    by_type = Table(box=box.SIMPLE_HEAD)
    for heading in ("type", "questions", "exact match", "95 % interval", "blind prior"):
        by_type.add_column(heading, justify="left" if heading == "type" else "right")
    for name, (measure, prior) in types.items():
        by_type.add_row(
            name,
            f"{measure['n']:,}",
            _figure(measure["value"], True),
            _range(measure, True),
            _figure(prior, True),
        )
    return Group(table, by_type, sentence)


def _figure(value: float, is_share: bool) -> str:
    return f"{value * 100:.2f} %" if is_share else f"{value:.4f}"


def _range(measure: Measured, is_share: bool) -> str:
    if is_share:
        return f"{measure['low'] * 100:.2f} to {measure['high'] * 100:.2f} %"
    return f"{measure['low']:.4f} to {measure['high']:.4f}"
