"""The columns of the epoch table: shared by terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.rule import finite, kl_split

MISSING = "-"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: stable name.
        title: heading, two short lines at most.
        meaning: the heading in words, with the unit.
        importance: 1 is kept longest when space is short.
        cell: text of one epoch.
        justify: alignment.
        style: rich style.
    """

    name: str
    title: str
    meaning: str
    importance: int
    cell: Callable[[EpochRecord], str]
    justify: Literal["left", "right"] = "right"
    style: str = ""


def loss_text(value: float | None) -> str:
    """A loss or a KL in nats, three decimals, at most six characters where sensible."""
    if value is None:
        return MISSING
    if finite(value) is None:
        return str(value)
    if value != 0.0 and not 5e-4 <= abs(value) < 1000.0:
        return f"{value:.0e}"
    return f"{value:.3f}" if abs(value) < 100.0 else f"{value:.1f}"


def amount_text(value: float | None) -> str:
    """Nats or seconds with about three digits."""
    if value is None or finite(value) is None:
        return MISSING if value is None else str(value)
    if abs(value) >= 1e5:
        return f"{value:.0e}"
    return f"{value:.1f}" if abs(value) < 100.0 else f"{value:.0f}"


def share_text(value: float | None, digits: int = 1) -> str:
    """A fraction as percent, without the sign, which stands in the heading."""
    if value is None or finite(value) is None:
        return MISSING if value is None else str(value)
    return f"{100.0 * value:.{digits}f}" if abs(value) < 100.0 else f"{100.0 * value:.0e}"


def _ratio_text(value: float | None) -> str:
    if value is None or finite(value) is None:
        return MISSING
    if abs(value) < 100.0:
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) < 1e5 else f"{value:.0e}"


def _count_text(value: int | None) -> str:
    return MISSING if value is None else str(value)


def _seconds(record: EpochRecord) -> float | None:
    known = [seconds for seconds in record.seconds.values() if finite(seconds) is not None]
    return sum(known) if known else None


COLUMNS: tuple[Column, ...] = (
    Column("epoch", "ep", "epoch, 0-based", 1, lambda r: str(r.epoch)),
    Column(
        "stage",
        "stage",
        "stage",
        9,
        lambda r: MISSING if r.stage == "unknown" else r.stage,
        "left",
        "dim",
    ),
    Column(
        "weight",
        "KL\nweight",
        "effective KL weight",
        6,
        lambda r: _ratio_text(r.effective_kl_weight),
    ),
    Column(
        "answer_train",
        "answer\ntrain",
        "answer loss in training, nats per answer token",
        4,
        lambda r: loss_text(r.train.answer_loss),
    ),
    Column(
        "answer_val",
        "answer\nval",
        "answer loss in validation, nats per answer token",
        2,
        lambda r: loss_text(r.val.answer_loss),
        style="bold",
    ),
    Column(
        "exact_match",
        "exact\n%",
        "exact match in validation, percent",
        3,
        lambda r: share_text(r.val.exact_match),
        style="bold",
    ),
    Column(
        "kl_raw",
        "KL\nraw",
        "KL per latent token before free bits, nats",
        5,
        lambda r: loss_text(kl_split(r).kl_raw),
    ),
    Column(
        "kl_after",
        "KL\nafter",
        "KL per latent token after free bits, nats",
        8,
        lambda r: loss_text(kl_split(r).kl_after),
    ),
    Column(
        "penalty_reduction",
        "red.\n%",
        "share of the KL that free bits take away, percent",
        7,
        lambda r: share_text(kl_split(r).penalty_reduction, 0),
    ),
    Column(
        "rate",
        "rate\nnats",
        "KL per example in validation, nats",
        5,
        lambda r: amount_text(r.val.rate if r.val.rate is not None else r.train.rate),
    ),
    Column(
        "active_units",
        "act.\nunits",
        "active latent units",
        10,
        lambda r: _count_text(r.val.active_units),
    ),
    Column(
        "overfitting_ratio",
        "val/\ntrain",
        "validation over training answer loss",
        11,
        lambda r: _ratio_text(r.overfitting_ratio),
    ),
    Column("seconds", "sec", "wall time, seconds", 12, lambda r: amount_text(_seconds(r))),
)
