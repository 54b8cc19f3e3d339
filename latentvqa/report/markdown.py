"""A diagnosis as Markdown, for issues and reports."""

from __future__ import annotations

from latentvqa.core.diagnosis import Diagnosis
from latentvqa.core.what_if import WhatIf
from latentvqa.history import History
from latentvqa.report.columns import COLUMNS, MISSING
from latentvqa.report.tables import span

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*[]<>|"} | {"\n": " ", "\r": " "})


def diagnosis_markdown(
    history: History, diagnosis: Diagnosis, what_if: WhatIf | None = None
) -> str:
    """Verdict, findings, epochs and notes of one run."""
    verdict = diagnosis.verdict
    lines = [
        f"# {_escaped(history.header.name or str(history.path))}",
        "",
        f"**{verdict.level}: {_escaped(verdict.code)}.** {_escaped(verdict.sentence)}",
    ]
    if diagnosis.next_step:
        lines += ["", f"Next: {_escaped(diagnosis.next_step)}"]
    if what_if is not None:
        lines += ["", f"What if: {_escaped(what_if.sentence)}"]
    if diagnosis.findings:
        rows = [
            [
                finding.level if finding.is_open else f"past {finding.level}",
                f"{finding.code} {_escaped(finding.name)}",
                span(finding.epochs),
                _escaped(finding.sentence),
                "" if finding.advice is None else f"`{finding.advice}`",
            ]
            for finding in diagnosis.findings
        ]
        lines += ["", "## Findings", ""]
        lines += _table(["level", "rule", "epochs", "finding", "advice"], rows, "lllll")
    if history.records:
        shown = [
            column
            for column in COLUMNS
            if any(column.cell(record) != MISSING for record in history.records)
        ]
        cells = [[column.cell(record) for column in shown] for record in history.records]
        alignment = "".join(column.justify[0] for column in shown)
        titles = [column.title.replace("\n", " ") for column in shown]
        lines += ["", "## Epochs", "", *_table(titles, cells, alignment)]
    lines += _listed("Notes", diagnosis.notes)
    lines += _listed("Not judged", diagnosis.not_judged)
    return "\n".join(lines) + "\n"


def _table(titles: list[str], rows: list[list[str]], alignment: str) -> list[str]:
    rule = ["---:" if side == "r" else "---" for side in alignment]
    return [f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows)]


def _listed(title: str, items: tuple[str, ...]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {_escaped(item)}" for item in items)] if items else []


def _escaped(text: str) -> str:
    return text.translate(_SPECIAL)
