"""An ablation as rich tables: its runs, its arms, and each arm against the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from latentvqa.core.ablation import AblationResult, ArmResult, Comparison, RunResult
from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted, points
from latentvqa.report.diagnosis.columns import (
    MISSING,
    NOT_CHARGED,
    amount_text,
    left_out_note,
    loss_text,
    share_text,
)
from latentvqa.report.style import CRITICAL, INFO, OK, WARNING
from latentvqa.report.text import printable
from latentvqa.report.whole_words import Name, Prose

WORD_STYLES = {"better": f"bold {OK}", "worse": f"bold {CRITICAL}", "no difference shown": ""}
STATE_STYLES = {
    "finished": OK,
    "failed": f"bold {CRITICAL}",
    "running": INFO,
    "interrupted": WARNING,
}
_WIDE = 76  # columns that all of a comparison takes
_NAME_WIDTH = 20  # columns that an arm's name keeps when space is short


@dataclass(frozen=True)
class Column:
    """A measure in the table of arms.

    Attributes:
        measure: its name.
        heading: up to three short lines.
        label: the same in one line.
        text: text of a value.
        importance: 1 is kept longest when space is short.
    """

    measure: str
    heading: str
    label: str
    text: Callable[[float | None], str]
    importance: int


COLUMNS = (
    Column("exact_match", "exact\nmatch\n%", "exact match, %", share_text, 1),
    Column("answer_loss", "answer\nloss\nnats", "answer loss, nats", loss_text, 2),
    Column("kl_raw", "KL\nraw\nnats", "KL raw, nats", loss_text, 4),
    Column("rate", "rate\nnats", "rate, nats", amount_text, 3),
    Column(
        "penalty_reduction", "not\ncharged\n%", NOT_CHARGED, lambda value: share_text(value, 0), 6
    ),
    Column(
        "exact_match_latents_shuffled",
        "shuf-\nfled\n%",
        "exact match with latents shuffled, %",
        share_text,
        5,
    ),
    Column("epochs", "epochs", "epochs", "{:g}".format, 7),
    Column("seconds", "sec", "seconds", amount_text, 8),
)


def result_panel(result: AblationResult, width: int) -> RenderableType:
    """All that is known of an ablation.

    Args:
        result: as collected.
        width: columns of the console; a narrow one gets fewer figures.
    """
    parts: list[RenderableType] = [_title(result)]
    if any(arm.spreads for arm in result.arms):
        parts.append(arms_table(result, width))
    if any(arm.comparison is not None for arm in result.arms):
        parts += [_comparisons(result, is_narrow=width < _WIDE), Prose(_caption(result), "dim")]
    parts += [Prose(line, "dim") for line in _evidence(result)]
    parts += [Prose(printable(note), WARNING) for note in result.notes]
    parts += [_failure(run) for run in result.in_state("failed")]
    missing = result.in_state("running", "interrupted", "waiting")
    if missing:
        parts.append(
            Text(f"{_by_state(missing)} of {counted(len(result.runs), 'run')}: not in the tables")
        )
    return Group(*parts)


def arms_table(result: AblationResult, width: int) -> Table:
    """Mean, lowest and highest of the measures over the seeds, an arm after the other.

    Args:
        result: as collected.
        width: columns of the console; the least important measures give way first, and
            a line below the table names them.
    """
    names = [_arm_cell(arm, result) for arm in result.arms]
    cells = {column: [_spread_texts(arm, column) for arm in result.arms] for column in COLUMNS}
    longest = max(len("  highest"), *(len(name.plain) for name in names))
    filled = _filled(cells)
    shown = _fitting(filled, width - 3 - min(longest, _NAME_WIDTH))
    note = left_out_note([column.label for column in filled if column not in shown])
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption=Text(note) if note else None,
        caption_justify="left",
    )
    seeds = f"mean over\n{len(result.seeds)} seeds" if len(result.seeds) > 1 else "one seed"
    table.add_column(f"arm,\n{seeds}", overflow="fold")
    for column in shown:
        table.add_column(Text(column.heading), justify="right", no_wrap=True)
    for row, name in enumerate(names):
        texts = [cells[column][row] for column in shown]
        table.add_row(name, *(text[0] for text in texts))
        if any(len(text) > 1 for text in texts):
            for place, end in ((1, "  lowest"), (2, "  highest")):
                ends = [text[place] if len(text) > 1 else "" for text in texts]
                table.add_row(end, *ends, style="dim")
    return table


def runs_table(result: AblationResult) -> Table:
    """The numbered runs and where they stand."""
    table = Table(title=_title(result), title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("run", "arm", "seed", "state", "folder"):
        table.add_column(heading, justify="right" if heading in ("run", "seed") else "left")
    for number, run in enumerate(result.runs):
        state = Text(run.state, STATE_STYLES.get(run.state, ""))
        place = f"runs/{run.key}"
        table.add_row(str(number), Name(printable(run.arm)), str(run.seed), state, Name(place))
    return table


def _title(result: AblationResult) -> Text:
    title = Text(printable(result.name), "bold")
    if result.description:
        title.append(f"  {printable(result.description)}", "not bold")
    return title


def _arm_cell(arm: ArmResult, result: AblationResult) -> Text:
    cell = Name(printable(arm.name), "bold")
    seeds = max((spread.n for spread in arm.spreads.values()), default=0)
    if arm.name == result.default:
        cell.append(" (default)", "not bold")
    if seeds < len(result.seeds):
        cell.append(f" ({seeds} of {len(result.seeds)} seeds)", f"not bold {WARNING}")
    return cell


def _spread_texts(arm: ArmResult, column: Column) -> list[str]:
    """The mean, and where there are several seeds the lowest and the highest."""
    spread = arm.spreads.get(column.measure)
    if spread is None:
        return [MISSING]
    values = (spread.value, spread.low, spread.high) if spread.n > 1 else (spread.value,)
    return list(map(column.text, values))


def _filled(cells: dict[Column, list[list[str]]]) -> dict[Column, int]:
    """The columns that hold something, with the width that they need and their gaps."""
    return {
        column: 2 + max(map(len, [*column.heading.split("\n"), *chain(*texts)]))
        for column, texts in cells.items()
        if set(chain(*texts)) != {MISSING}
    }


def _fitting(widths: dict[Column, int], room: int) -> dict[Column, int]:
    """The columns that fit, the least important dropped first."""
    shown = dict(widths)
    while shown and sum(shown.values()) > room:
        del shown[max(shown, key=lambda column: column.importance)]
    return shown


def _comparisons(result: AblationResult, *, is_narrow: bool) -> Table:
    note = left_out_note(["answer loss, nats"]) if is_narrow else ""
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption=Text(note) if note else None,
        caption_justify="left",
    )
    table.add_column(Name(f"against\n{printable(result.default)}"))
    if is_narrow:
        headings = ["exact\nmatch,\npoints", "95 %,\nover seeds,\nover images"]
    else:
        headings = ["exact\nmatch,\npoints", "95 %,\nover seeds", "95 %,\nover images"]
        headings.append("answer\nloss,\nnats")
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    table.add_column("in a word", overflow="fold")
    for arm in result.arms:
        if arm.comparison is not None:
            table.add_row(Name(printable(arm.name)), *_comparison_cells(arm.comparison, is_narrow))
    return table


def _comparison_cells(found: Comparison, is_narrow: bool) -> list[Text]:
    match, loss = found.over_seeds["exact_match"], found.over_seeds["answer_loss"]
    ranges = [range_text(match), range_text(found.over_images)]
    texts = ["\n".join(ranges)] if is_narrow else [*ranges, f"{loss.value:+.3f}"]
    word = Text(found.word, WORD_STYLES[found.word])
    return [Text(points(match.value, "+")), *map(Text, texts), word]


def range_text(estimate: Estimate | None) -> str:
    """The interval of a difference of shares, in points."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return MISSING
    return f"{points(estimate.low, '+')} to {points(estimate.high, '+')}"


def _caption(result: AblationResult) -> str:
    found = [arm.comparison.over_seeds["exact_match"].n for arm in result.arms if arm.comparison]
    if max(found) < 2:
        return (
            "One seed: the interval over images (paired bootstrap) is about these very runs, and "
            "says nothing of other seeds."
        )
    seeds = f"{min(found)} to {max(found)}" if min(found) < max(found) else f"{max(found)}"
    return (
        f"95 % intervals: paired t test over {seeds} seeds; paired bootstrap over images, for "
        "these very runs. Better or worse: both leave out 0 on the same side."
    )


def _evidence(result: AblationResult) -> list[str]:
    """What so many seeds and arms can show, a sentence each."""
    corrected = [
        f"{printable(arm.name)} {arm.comparison.p_holm:.2g}"
        for arm in result.arms
        if arm.comparison is not None and arm.comparison.p_holm is not None
    ]
    lines = []
    if len(corrected) > 1:
        lines.append(
            f"p-values corrected for {len(corrected)} arms (Holm), to be below 0.05 as well: "
            f"{', '.join(corrected)}."
        )
    if result.smallest_detectable is not None:
        lines.append(
            "Smallest difference that so many seeds show in four of five repetitions, at this "
            f"spread: {100.0 * result.smallest_detectable:.1f} points. A smaller one is mostly "
            "missed."
        )
    return lines


def _failure(run: RunResult) -> Text:
    text = Text(f"failed: {printable(run.arm)}, seed {run.seed}: ", f"bold {CRITICAL}")
    return text.append("\n".join(map(printable, run.message.splitlines())), "not bold")


def _by_state(runs: Sequence[RunResult]) -> str:
    """As in: 2 interrupted, 3 waiting."""
    states = sorted(run.state for run in runs)
    return ", ".join(f"{len(list(group))} {state}" for state, group in groupby(states))
