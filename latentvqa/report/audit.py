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
from latentvqa.core.audit.names import NAMES
from latentvqa.core.audit.rules import AuditFinding
from latentvqa.core.figures import counted
from latentvqa.core.results.audit import AuditResult
from latentvqa.report.figure_table import Fact, fact_table
from latentvqa.report.style import CRITICAL, INFO, OK, WARNING
from latentvqa.report.text import printable
from latentvqa.report.whole_words import Name, Prose

SCHEMA = 1
_STYLES = {"critical": f"bold {CRITICAL}", "warning": f"bold {WARNING}", "info": f"bold {INFO}"}
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
        parts.append(Text("Nothing to warn of.", style=f"bold {OK}"))
    return Group(*parts)


def _facts(table: TableFacts) -> Group:
    rows: list[Fact] = []
    rows.append(("questions", f"{table.rows:,} on {counted(table.images, 'image')}"))
    has_answers = bool(table.answers)
    rows.append(("different answers", f"{table.answers:,}" if has_answers else "no answers"))
    rows.append(("repeated rows", _percent(table.duplicates.share)))
    rows.append(("contradicted rows", _percent(table.conflicts.share)))
    for name, share in table.priors.items():
        rows.append(("without images", f"{_percent(share)} with {_PRIORS[name]}"))
    cut = f"{_percent(table.truncated_questions.share)} of the questions"
    if has_answers:
        cut += f", {_percent(table.truncated_answers.share)} of the answers"
    rows.append(("cut", cut))
    rows.append(("unknown words", f"{_percent(table.unknown_words)} of those in the questions"))
    types = _types(table.top_answers) if has_answers else Text("")
    return Group(Text(printable(table.name), style="bold"), fact_table(rows), types)


def _types(top_answers: Mapping[str, TopAnswer]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("type", overflow="fold")
    table.add_column("questions", justify="right", no_wrap=True)
    table.add_column("most frequent answer", overflow="fold")
    table.add_column("share", justify="right", no_wrap=True)
    ranked = sorted(top_answers.items(), key=lambda item: -item[1].rows)
    for kind, top in ranked[:_MOST_TYPES]:
        answer = Name(printable(top.answer))
        table.add_row(Name(printable(kind)), f"{top.rows:,}", answer, _percent(top.share))
    if len(ranked) > _MOST_TYPES:
        table.add_row(f"and {len(ranked) - _MOST_TYPES} more", "", "--json lists them", "")
    return table


def _pair(pair: PairFacts) -> Group:
    rows: list[Fact] = []
    rows.append(("images in both", f"{_percent(pair.leaked_paths.share)} of the rows, by name"))
    copied, unseen = pair.copied_contents, pair.unseen_answers
    checked = "not checked: needs --images"
    if copied is not None:
        checked = f"{_percent(copied.share)} of the rows, under another name"
    rows.append(("copies of images", checked))
    if pair.near_copies is not None:
        near = f"{_percent(pair.near_copies.share)} of the rows, re-encoded, resized, cropped"
        rows.append(("near-copies of images", near))
    if unseen is not None:
        bound = f"{_percent(1.0 - unseen.share)} of the rows: no exact match above it"
        rows.append(("answers seen in training", bound))
    title = Text(printable(f"{pair.other} against {pair.train}"), style="bold")
    return Group(title, fact_table(rows), Text(""))


def _images(images: ImageFacts | None) -> RenderableType:
    if images is None:
        return Text("Images: not checked; name their folder with --images DIR.\n", style="dim")
    rows: list[Fact] = []
    rows.append(("files", f"{images.images:,}"))
    rows.append(("missing", f"{images.missing:,}"))
    rows.append(("not to be decoded", f"{images.corrupt:,}"))
    if images.modes:
        low, middle, high = images.widths
        rows.append(("width", f"{low:,} to {high:,} pixels, median {middle:,}"))
        low, middle, high = images.heights
        rows.append(("height", f"{low:,} to {high:,} pixels, median {middle:,}"))
        modes = ", ".join(f"{mode} {count:,}" for mode, count in images.modes.items())
        rows.append(("modes", modes))
    if images.plain:
        rows.append(("plain", f"{images.plain:,}: too little detail to find but equal copies"))
    for folder in images.folders:
        place = (
            f"{_percent(folder.copied_contents.share)} of the rows of {folder.table} copied from "
            f"{folder.folder} ({counted(folder.images, 'image')}), "
            f"{_percent(folder.near_copies.share)} near-copies"
        )
        if folder.left_out:
            place += f"; no images, left out: {folder.left_out}"
        rows.append(("elsewhere", place))
    for pair in images.first_near_copies:
        rows.append(("near-copy", f"{pair.path} of {pair.like}"))
    for bad in images.first_faults:
        place = f"{bad.table} row {bad.row}: {bad.path}: {bad.fault}"
        rows.append(("", place))
    return Group(Text("Images", style="bold"), fact_table(rows), Text(""))


def _finding(finding: AuditFinding) -> Text:
    level, code = finding.level, finding.code
    text = Prose().append(f"{level} {code} {NAMES[code]}: ", style=_STYLES[level])
    return text.append(printable(finding.sentence)).append(f" {finding.advice}", style="dim")


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
