"""An audit of question tables as rich renderables, and as plain values for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from latentvqa.core.audit.facts import ImageFacts, PairFacts, TableFacts, TopAnswer
from latentvqa.core.audit.rules import AuditFinding
from latentvqa.core.figures import counted
from latentvqa.core.results.audit import AuditResult
from latentvqa.report.text import printable

SCHEMA = 1
_STYLES = {"critical": "bold red", "warning": "bold yellow", "info": "bold blue"}
_PRIORS = {
    "answers": "the most frequent answer",
    "type": "one answer per type",
    "question_text": "one answer per question text",
    "question_words": "the question's words",
}
_MOST_TYPES = 12


def audit_json(found: AuditResult) -> dict[str, Any]:
    """One object of plain values with a schema version; shares are fractions."""
    return {"schema": SCHEMA, **TypeAdapter(AuditResult).dump_python(found, mode="json")}


def audit_panel(found: AuditResult) -> Group:
    """Lay out an audit; shares become percent here."""
    parts: list[RenderableType] = [_facts(table) for table in found.tables]
    parts += [_pair(pair) for pair in found.pairs]
    parts.append(_images(found.images))
    parts += [_finding(finding) for finding in found.findings]
    if not found.findings:
        parts.append(Text("Nothing to warn of.", style="bold green"))
    return Group(*parts)


def _facts(table: TableFacts) -> Group:
    grid = _grid()
    grid.add_row("questions", f"{table.rows:,} on {counted(table.images, 'image')}")
    has_answers = bool(table.answers)
    grid.add_row("different answers", f"{table.answers:,}" if has_answers else "no answers")
    grid.add_row("repeated rows", _percent(table.duplicates.share))
    grid.add_row("contradicted rows", _percent(table.conflicts.share))
    for name, share in table.priors.items():
        grid.add_row("without images", f"{_percent(share)} with {_PRIORS[name]}")
    cut = f"{_percent(table.truncated_questions.share)} of the questions"
    if has_answers:
        cut += f", {_percent(table.truncated_answers.share)} of the answers"
    grid.add_row("cut", cut)
    grid.add_row("unknown words", f"{_percent(table.unknown_words)} of those in the questions")
    types = _types(table.top_answers) if has_answers else Text("")
    return Group(Text(printable(table.name), style="bold"), grid, types)


def _types(top_answers: Mapping[str, TopAnswer]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("type", overflow="fold")
    table.add_column("questions", justify="right", no_wrap=True)
    table.add_column("most frequent answer", overflow="fold")
    table.add_column("share", justify="right", no_wrap=True)
    ranked = sorted(top_answers.items(), key=lambda item: -item[1].rows)
    for kind, top in ranked[:_MOST_TYPES]:
        answer = Text(printable(top.answer))
        table.add_row(Text(printable(kind)), f"{top.rows:,}", answer, _percent(top.share))
    if len(ranked) > _MOST_TYPES:
        table.add_row(f"and {len(ranked) - _MOST_TYPES} more", "", "--json lists them", "")
    return table


def _pair(pair: PairFacts) -> Group:
    grid = _grid()
    grid.add_row("images in both", f"{_percent(pair.leaked_paths.share)} of the rows, by name")
    copied, unseen = pair.copied_contents, pair.unseen_answers
    checked = "not checked: needs --images"
    if copied is not None:
        checked = f"{_percent(copied.share)} of the rows, under another name"
    grid.add_row("copies of images", checked)
    if pair.near_copies is not None:
        near = f"{_percent(pair.near_copies.share)} of the rows, re-encoded, resized, cropped"
        grid.add_row("near-copies of images", near)
    if unseen is not None:
        bound = f"{_percent(1.0 - unseen.share)} of the rows: no exact match above it"
        grid.add_row("answers seen in training", bound)
    title = Text(printable(f"{pair.other} against {pair.train}"), style="bold")
    return Group(title, grid, Text(""))


def _images(images: ImageFacts | None) -> RenderableType:
    if images is None:
        return Text("Images: not checked; name their folder with --images DIR.\n", style="dim")
    grid = _grid()
    grid.add_row("files", f"{images.images:,}")
    grid.add_row("missing", f"{images.missing:,}")
    grid.add_row("not to be decoded", f"{images.corrupt:,}")
    if images.modes:
        low, middle, high = images.widths
        grid.add_row("width", f"{low:,} to {high:,} pixels, median {middle:,}")
        low, middle, high = images.heights
        grid.add_row("height", f"{low:,} to {high:,} pixels, median {middle:,}")
        modes = ", ".join(f"{mode} {count:,}" for mode, count in images.modes.items())
        grid.add_row("modes", modes)
    if images.plain:
        grid.add_row("plain", f"{images.plain:,}: too little detail to find but equal copies")
    for folder in images.folders:
        place = (
            f"{_percent(folder.copied_contents.share)} of the rows of {folder.table} copied from "
            f"{folder.folder} ({counted(folder.images, 'image')}), "
            f"{_percent(folder.near_copies.share)} near-copies"
        )
        if folder.left_out:
            place += f"; no images, left out: {folder.left_out}"
        grid.add_row("elsewhere", Text(printable(place)))
    for pair in images.first_near_copies:
        grid.add_row("near-copy", Text(printable(f"{pair.path} of {pair.like}")))
    for bad in images.first_faults:
        place = f"{bad.table} row {bad.row}: {bad.path}: {bad.fault}"
        grid.add_row("", Text(printable(place)))
    return Group(Text("Images", style="bold"), grid, Text(""))


def _finding(finding: AuditFinding) -> Text:
    level = finding.level
    text = Text(f"{level} {finding.code} ", style=_STYLES[level])
    text.append(printable(finding.sentence), style="default")
    return text.append(f" {finding.advice}", style="dim")


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
