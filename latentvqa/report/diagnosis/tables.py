"""Records and findings as rich renderables; the console that shows them is the caller's.

Tables show percent where records hold fractions. Text from a log never reaches
rich as markup.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.diagnosis.what_if import WhatIf, between
from latentvqa.core.figures import figure, percent
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.rules.rule import Level
from latentvqa.report import style
from latentvqa.report.diagnosis.advice import advice_text, next_step_text
from latentvqa.report.diagnosis.columns import (
    COLUMNS,
    MISSING,
    Column,
    finding_name,
    left_out_note,
)
from latentvqa.report.text import printable
from latentvqa.report.whole_words import Prose

ACCOUNT_WIDTH = 72  # columns that the account needs for three columns
TOO_EARLY = "too early to judge"
MOST_NOT_JUDGED = 3  # reasons that the panel gives in full

STYLES: dict[Level, str] = {
    "ok": style.OK,
    "not judged": style.NOT_JUDGED,
    "info": style.INFO,
    "warning": style.WARNING,
    "critical": f"bold {style.CRITICAL}",
}


def epoch_table(
    header: RunHeader, records: Sequence[EpochRecord], width: int = 80, note: str = ""
) -> Table:
    """One row per epoch, as many columns as fit.

    Args:
        header: what the run was made with; names the table.
        records: the epochs, in order.
        width: terminal columns; the least important columns give way first, and a
            line below the table names them.
        note: a line below the table.

    Returns:
        The table.
    """
    cells = {column: [column.cell(record) for record in records] for column in COLUMNS}
    widths = _widths(cells)
    shown = _fitting(widths, width)
    missing = left_out_note([column.label for column in widths if column not in shown])
    caption = "\n".join(filter(None, (missing, note)))
    table = Table(
        box=SIMPLE_HEAD,
        padding=0,
        show_edge=False,  # its two columns are needed at width 80
        title=Text(printable(header.name)) if header.name else None,
        title_justify="left",
        title_style="bold",
        caption=Text(caption) if caption else None,
        caption_justify="left",
    )
    for column, cell_width in shown.items():
        table.add_column(
            Text(column.title),
            justify=column.justify,
            style=column.style,
            width=cell_width,  # known already, and slow to measure again in a long run
            no_wrap=True,
        )
    for row in zip(*(cells[column] for column in shown), strict=True):
        table.add_row(*(Text(cell) for cell in row))
    return table


def epoch_line(header: RunHeader, record: EpochRecord, diagnosis: Diagnosis | None = None) -> str:
    """One epoch as one line of plain text, for logs that are not a terminal."""
    last = header.stages.total - 1
    is_planned = is_plan_known(header) and last >= record.epoch
    parts = [f"epoch {record.epoch}/{last}" if is_planned else f"epoch {record.epoch}"]
    parts += [] if record.stage == "unknown" else [record.stage]
    named = {column.name: column for column in COLUMNS}
    for label, name in (
        ("answer", "answer_train"),
        ("val", "answer_val"),
        ("exact", "exact_match"),
        ("kl", "kl_raw"),
        ("weight", "weight"),
        ("rate", "rate"),
        ("s", "seconds"),
    ):
        cell = named[name].cell(record)
        if cell != MISSING:
            parts.append(f"{label} {cell}{' %' if name == 'exact_match' else ''}")
    if diagnosis is not None:
        parts.append(f"[{verdict_name(diagnosis)}]")
    return "  ".join(parts)


def verdict_panel(diagnosis: Diagnosis) -> Panel:
    """The verdict with its next step, notes and what was not judged."""
    verdict = diagnosis.verdict
    body = Prose(verdict.sentence)
    if diagnosis.disagreement:
        body.append("\n").append(diagnosis.disagreement)
    if step := next_step_text(diagnosis.next_step):
        body.append("\nNext: ", style="bold").append(step)
    for note in diagnosis.notes:
        body.append("\nNote: ", style="bold").append(note)
    for text in not_judged_lines(diagnosis):
        body.append(f"\n{text}", style="dim")
    level_style = STYLES[verdict.level]
    return Panel(
        body,
        title=Text(verdict_name(diagnosis), style=level_style),
        title_align="left",
        border_style=level_style,
        box=ROUNDED,
        padding=(0, 1),
    )


def findings_table(diagnosis: Diagnosis) -> Table:
    """One row per finding, open ones first; past ones are dimmed."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, expand=True)
    table.add_column("level", no_wrap=True)
    table.add_column("code", no_wrap=True)
    table.add_column("epochs", no_wrap=True)
    table.add_column("finding", ratio=1)
    for finding in diagnosis.findings:
        sentence = Prose(finding.sentence)
        if finding.advice is not None:
            sentence.append(f"\n{advice_text(finding.advice)}", style="bold")
        level = Text("past")  # a dimmed colour is hardly seen on black
        if finding.is_open:
            level = Text(finding.level, style=STYLES[finding.level])
        table.add_row(
            level,
            Text(finding.code),
            Text(span(finding.epochs)),
            sentence,
            style=None if finding.is_open else "dim",
        )
    return table


def account_table(diagnosis: Diagnosis, width: int = 80) -> Table:
    """The information measures, each with what it means for the run; narrower below 72."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=True, expand=True)
    table.add_column(style="bold", no_wrap=True)
    if width < ACCOUNT_WIDTH:
        table.add_column(ratio=1)
        for line in diagnosis.account:
            table.add_row(Text(line.name), Prose(f"{line.value}. {line.meaning}"))
        return table
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for line in diagnosis.account:
        table.add_row(Text(line.name), Text(line.value), Prose(line.meaning))
    return table


def not_judged_lines(diagnosis: Diagnosis) -> list[str]:
    """What was not judged: in full where it is short, else how much of it."""
    if len(diagnosis.not_judged) <= MOST_NOT_JUDGED:
        return [f"Not judged: {reason}" for reason in diagnosis.not_judged]
    rules = sum(reason.partition(":")[0].count(",") + 1 for reason in diagnosis.not_judged)
    return [
        f"Not judged: {rules} rules, for {len(diagnosis.not_judged)} reasons; --format markdown "
        "lists them."
    ]


def what_if_table(what_if: WhatIf) -> Table:
    """The logged posterior under several allowances; the one asked for is marked."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("free_bits", "KL after", "reduction"):
        table.add_column(title, justify="right")
    for row in what_if.table:
        mark = " <" if row.free_bits == what_if.free_bits else "  "
        after = between(figure(row.kl_after_low), figure(row.kl_after_high))
        cut = between(percent(row.reduction_low), percent(row.reduction_high))
        table.add_row(figure(row.free_bits), after, cut + mark)
    return table


def verdict_line(diagnosis: Diagnosis) -> Text:
    """The name of the verdict alone, where there is no room for its panel."""
    name = Text(verdict_name(diagnosis), STYLES[diagnosis.verdict.level], no_wrap=True)
    return Text("verdict  ", no_wrap=True, overflow="ellipsis") + name


def verdict_name(diagnosis: Diagnosis) -> str:
    """Level and name of the verdict; the level alone where it is its own code."""
    level, code = diagnosis.verdict.level, diagnosis.verdict.code
    is_alone = code.replace("_", " ") == level
    if any(one.is_early and one.name == code for one in diagnosis.open_findings):
        return f"{level}: {TOO_EARLY}"
    return level if is_alone else f"{level}: {finding_name(code, level)}"


def is_plan_known(header: RunHeader) -> bool:
    """Whether the log itself says how many epochs are planned; a foreign log never does."""
    is_ours = header.counts_epochs and not header.kl.is_assumed and not header.kl.unknown
    return is_ours and header.stages.total > 0


def span(epochs: tuple[int, int]) -> str:
    """First and last epoch of a finding."""
    first, last = epochs
    return str(first) if first == last else f"{first}-{last}"


def _widths(cells: dict[Column, list[str]]) -> dict[Column, int]:
    """The columns that hold something, with the width that they need."""
    return {
        column: max(len(text) for text in (*column.title.split("\n"), *cells[column]))
        for column in COLUMNS
        if any(cell != MISSING for cell in cells[column])
    }


def _fitting(widths: dict[Column, int], width: int) -> dict[Column, int]:
    """The columns that fit, the least important dropped first."""
    shown = dict(widths)
    while len(shown) > 1 and sum(shown.values()) + len(shown) - 1 > width:
        del shown[max(shown, key=lambda column: column.importance)]
    return shown
