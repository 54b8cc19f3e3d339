"""The columns of the epoch table, and the words for measures and verdicts.

Terminal, Markdown, HTML, curves and comparison take their words from here, so that
one thing has one name. Keys of JSON and of logs are not touched by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.catalogue import plain_name
from latentvqa.core.rules.rule import Level, finite, kl_split

MISSING = "-"

NOT_CHARGED = "not charged, %"
NEED = "information the answers need"
LEARNT = "learnt"

_HARMLESS = ("pinned",)  # findings that are no fault by themselves, though they sound like one


def finding_name(name: str, level: Level) -> str:
    """What a finding or a verdict is called where it is shown; a remark says it is harmless."""
    is_harmless = name in _HARMLESS and level in ("ok", "info")
    return f"{plain_name(name)} (harmless)" if is_harmless else plain_name(name)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: stable name.
        title: heading of a terminal's table, three short lines at most.
        label: the same in one line, for wider tables and for sentences.
        meaning: the heading in words, with the unit.
        importance: 1 is kept longest when space is short.
        cell: text of one epoch.
        justify: alignment.
        style: rich style.
    """

    name: str
    title: str
    label: str
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


def left_out_note(labels: Sequence[str]) -> str:
    """What a table has no room for, as a line below it; empty where nothing is missing."""
    if not labels:
        return ""
    return f"no room for: {'; '.join(labels)} (a wider terminal shows them)"


COLUMNS: tuple[Column, ...] = (
    Column("epoch", "ep", "epoch", "epoch, 0-based", 1, lambda r: str(r.epoch)),
    Column(
        "stage",
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
        "KL weight",
        "effective KL weight",
        6,
        lambda r: _ratio_text(r.effective_kl_weight),
    ),
    Column(
        "answer_train",
        "answer\ntrain",
        "answer train",
        "answer loss in training, nats per answer token",
        4,
        lambda r: loss_text(r.train.answer_loss),
    ),
    Column(
        "answer_val",
        "answer\nval",
        "answer val",
        "answer loss in validation, nats per answer token",
        2,
        lambda r: loss_text(r.val.answer_loss),
        style="bold",
    ),
    Column(
        "exact_match",
        "exact\n%",
        "exact %",
        "exact match in validation, percent",
        3,
        lambda r: share_text(r.val.exact_match),
        style="bold",
    ),
    Column(
        "kl_raw",
        "KL\nraw",
        "KL raw",
        "KL per latent token before free bits, nats",
        5,
        lambda r: loss_text(kl_split(r).kl_raw),
    ),
    Column(
        "kl_after",
        "KL\nafter",
        "KL after",
        "KL per latent token after free bits, nats",
        8,
        lambda r: loss_text(kl_split(r).kl_after),
    ),
    Column(
        "penalty_reduction",
        "not\ncharged\n%",
        NOT_CHARGED,
        "share of the KL that the allowance (free bits) leaves uncharged, percent",
        7,
        lambda r: share_text(kl_split(r).penalty_reduction, 0),
    ),
    Column(
        "rate",
        "rate\nnats",
        "rate, nats",
        "KL per example in validation, nats",
        5,
        lambda r: amount_text(r.val.rate if r.val.rate is not None else r.train.rate),
    ),
    Column(
        "active_units",
        "latent\ndims\nin use",
        "latent dims in use",
        "latent dimensions whose mean varies over the data (active units)",
        10,
        lambda r: _count_text(r.val.active_units),
    ),
    Column(
        "overfitting_ratio",
        "over-\nfit\nratio",
        "overfit ratio",
        "validation over training answer loss; well above 1 is overfitting",
        11,
        lambda r: _ratio_text(r.overfitting_ratio),
    ),
    Column(
        "seconds", "sec", "seconds", "wall time, seconds", 12, lambda r: amount_text(_seconds(r))
    ),
)


def label_of(name: str) -> str:
    """What a measure is called where it is shown.

    Args:
        name: stable name of its column.
    """
    return next(column.label for column in COLUMNS if column.name == name)
