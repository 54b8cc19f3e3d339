"""Several runs beside each other, one row each: shared by terminal, Markdown and HTML.

A row shows the last epoch of its run; what a log does not hold shows as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.rule import finite
from latentvqa.report.diagnosis.columns import (
    COLUMNS,
    LEARNT,
    MISSING,
    NEED,
    amount_text,
    left_out_note,
)
from latentvqa.report.diagnosis.judged_run import JudgedRun, distinct_names
from latentvqa.report.diagnosis.tables import STYLES, verdict_name
from latentvqa.report.text import printable
from latentvqa.report.whole_words import Name

RUN_WIDTH = 20  # columns that name and verdict keep when space is short


@dataclass(frozen=True)
class Measure:
    """One thing to compare.

    Attributes:
        name: stable name.
        title: heading in one line.
        meaning: the heading in words, with the unit.
        cell: text of one run.
        justify: alignment.
    """

    name: str
    title: str
    meaning: str
    cell: Callable[[JudgedRun], str]
    justify: Literal["left", "right"] = "right"


@dataclass(frozen=True)
class Stack:
    """A column of the terminal's table: up to two measures, one below the other.

    Attributes:
        heading: up to three short lines.
        names: the measures, from above.
        importance: 1 is kept longest when space is short.
    """

    heading: str
    names: tuple[str, ...]
    importance: int


def nats_text(value: float | None) -> str:
    """Nats with two decimals, as few digits as a comparison needs."""
    if value is None or finite(value) is None:
        return MISSING if value is None else str(value)
    if value != 0.0 and not 5e-3 <= abs(value) < 1e3:
        return f"{value:.0e}"
    return f"{value:.2f}" if abs(value) < 100.0 else f"{value:.0f}"


def _last(cell: Callable[[EpochRecord], str]) -> Callable[[JudgedRun], str]:
    return lambda run: MISSING if run.last is None else cell(run.last)


def _logged(name: str) -> Measure:
    """A measure that the epoch table shows, too."""
    column = next(column for column in COLUMNS if column.name == name)
    return Measure(name, column.label, column.meaning, _last(column.cell))


MEASURES: tuple[Measure, ...] = (
    Measure(
        "verdict",
        "verdict",
        "level and code of the verdict",
        lambda r: verdict_name(r.diagnosis),
        "left",
    ),
    Measure("epochs", "epochs", "epochs in the log", lambda r: str(len(r.history.records))),
    Measure("stage", "stage", "stage of the last epoch", _last(lambda r: r.stage), "left"),
    _logged("kl_raw"),
    _logged("kl_after"),
    _logged("penalty_reduction"),
    _logged("rate"),
    Measure(
        "capacity",
        "can carry, nats",
        "most that the latent can carry, nats",
        _last(lambda r: amount_text(r.val.capacity)),
    ),
    Measure(
        "answer_entropy",
        NEED,
        "entropy of the answers, nats: what there is to learn",
        _last(lambda r: nats_text(r.val.answer_entropy)),
    ),
    Measure(
        "answer_gain",
        LEARNT,
        "what is learnt of the information that the answers need, nats",
        _last(lambda r: nats_text(r.val.answer_gain)),
    ),
    _logged("answer_train"),
    _logged("answer_val"),
    _logged("exact_match"),
    _logged("active_units"),
)

STACKS: tuple[Stack, ...] = (
    Stack("epochs\nstage", ("epochs", "stage"), 7),
    Stack("KL\nraw\nafter", ("kl_raw", "kl_after"), 4),
    Stack("not\ncharged\n%", ("penalty_reduction",), 8),
    Stack("rate,\ncan\ncarry", ("rate", "capacity"), 5),
    Stack("answers\nneed,\nlearnt", ("answer_entropy", "answer_gain"), 3),
    Stack("answer\ntrain\nval", ("answer_train", "answer_val"), 1),
    Stack("exact\n%", ("exact_match",), 2),
    Stack("latent\ndims\nin use", ("active_units",), 9),
)

NATS = STACKS[3:5]
NATS_NOTE = "rate, can carry, need, learnt: nats per example"


def comparison_rows(runs: Sequence[JudgedRun]) -> tuple[list[str], list[list[str]]]:
    """Names of the runs, and the cells of each run in the order of ``MEASURES``."""
    return distinct_names(runs), [[measure.cell(run) for measure in MEASURES] for run in runs]


def comparison_table(runs: Sequence[JudgedRun], width: int = 80) -> Table:
    """One row per run, its verdict below its name, as many measures as fit.

    Args:
        runs: the runs, in the order to show.
        width: terminal columns; the least important measures give way first, and a
            line below the table names them.

    Returns:
        The table.
    """
    names, rows = comparison_rows(runs)
    cells = [dict(zip((m.name for m in MEASURES), row, strict=True)) for row in rows]
    texts = {
        stack: ["\n".join(row[name] for name in stack.names) for row in cells] for stack in STACKS
    }
    longest = max(map(len, (*names, *(row["verdict"] for row in cells), "verdict")))
    filled = _filled(texts)
    shown = _fitting(filled, width - 2, min(longest, RUN_WIDTH))
    titles = {measure.name: measure.title for measure in MEASURES}
    missing = [titles[name] for stack in filled if stack not in shown for name in stack.names]
    note = "\n".join(
        filter(None, (NATS_NOTE if set(NATS) & set(shown) else "", left_out_note(missing)))
    )
    table = Table(
        box=SIMPLE_HEAD,
        padding=0,
        caption=Text(note) if note else None,
        caption_justify="left",
    )
    table.add_column(Text("run\nverdict"))
    for stack in shown:
        table.add_column(Text(stack.heading), justify="right", no_wrap=True)
    for index, run in enumerate(runs):
        verdict = run.diagnosis.verdict
        name = Name(printable(names[index]), style="bold")
        name.append(f"\n{verdict_name(run.diagnosis)}", style=STYLES[verdict.level])
        table.add_row(name, *(Text(texts[stack][index]) for stack in shown))
    return table


def _filled(texts: dict[Stack, list[str]]) -> dict[Stack, int]:
    """The columns that hold something, with the width that they need and a gap."""
    return {
        stack: 1
        + max(len(line) for text in (stack.heading, *texts[stack]) for line in text.split("\n"))
        for stack in STACKS
        if any(set(text.split("\n")) != {MISSING} for text in texts[stack])
    }


def _fitting(widths: dict[Stack, int], width: int, name_width: int) -> dict[Stack, int]:
    """The columns that fit beside the names, the least important dropped first."""
    shown = dict(widths)
    while shown and name_width + sum(shown.values()) > width:
        del shown[max(shown, key=lambda stack: stack.importance)]
    return shown
