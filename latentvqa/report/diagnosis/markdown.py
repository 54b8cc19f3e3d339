"""A diagnosis as Markdown, for issues and reports."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.report.diagnosis.advice import advice_text, next_step_text
from latentvqa.report.diagnosis.columns import COLUMNS, MISSING, finding_name
from latentvqa.report.diagnosis.comparison import MEASURES, comparison_rows
from latentvqa.report.diagnosis.epoch_choice import choice_note, epochs_to_show
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.tables import span, verdict_name

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*[]<>|"} | {"\n": " ", "\r": " "})


def diagnoses_markdown(runs: Sequence[JudgedRun], *, is_whole: bool = False) -> str:
    """One run as it is; several below a table that compares them.

    Args:
        runs: the runs, in the order to show.
        is_whole: show all epochs of long runs.
    """
    parts = [diagnosis_markdown(run, is_whole=is_whole) for run in runs]
    if len(runs) > 1:
        parts.insert(0, _comparison(runs))
    return "\n".join(parts)


def diagnosis_markdown(run: JudgedRun, *, is_whole: bool = False) -> str:
    """Verdict, findings, epochs and notes of one run."""
    history, diagnosis, what_if = run.history, run.diagnosis, run.what_if
    verdict = diagnosis.verdict
    lines = [
        f"# {_escaped(history.header.name or str(history.path))}",
        "",
        f"**{_escaped(verdict_name(diagnosis))}.** {_escaped(verdict.sentence)}",
    ]
    if diagnosis.disagreement:
        lines += ["", _escaped(diagnosis.disagreement)]
    if step := next_step_text(diagnosis.next_step):
        lines += ["", f"Next: {_escaped(step)}"]
    if what_if is not None:
        lines += ["", f"What if: {_escaped(what_if.sentence)}"]
    if diagnosis.findings:
        rows = [
            [
                finding.level if finding.is_open else f"past {finding.level}",
                f"{finding.code} {_escaped(finding_name(finding.name, finding.level))}",
                span(finding.epochs),
                _escaped(finding.sentence),
                "" if finding.advice is None else f"`{advice_text(finding.advice)}`",
            ]
            for finding in diagnosis.findings
        ]
        lines += ["", "## Findings", ""]
        lines += _table(["level", "rule", "epochs", "finding", "advice"], rows, "lllll")
    if diagnosis.account:
        account = [[_escaped(t) for t in (a.name, a.value, a.meaning)] for a in diagnosis.account]
        lines += ["", "## Information", ""]
        lines += _table(["measure", "value", "what it means for this run"], account, "lll")
    if history.records:
        shown = [
            column
            for column in COLUMNS
            if any(column.cell(record) != MISSING for record in history.records)
        ]
        records = history.records
        chosen = records if is_whole else epochs_to_show(records, diagnosis.findings)
        cells = [[column.cell(record) for column in shown] for record in chosen]
        alignment = "".join(column.justify[0] for column in shown)
        titles = [column.label for column in shown]
        lines += ["", "## Epochs", "", *_table(titles, cells, alignment)]
        note = choice_note(len(chosen), len(records))
        lines += ["", note] if note else []
    lines += _listed("Notes", diagnosis.notes)
    lines += _listed("Not judged", diagnosis.not_judged)
    return "\n".join(lines) + "\n"


def _comparison(runs: Sequence[JudgedRun]) -> str:
    names, rows = comparison_rows(runs)
    cells = [
        [_escaped(text) for text in (name, *row)] for name, row in zip(names, rows, strict=True)
    ]
    alignment = "l" + "".join(measure.justify[0] for measure in MEASURES)
    titles = ["run", *(measure.title for measure in MEASURES)]
    return "\n".join(["# Comparison", "", *_table(titles, cells, alignment)]) + "\n"


def _table(titles: list[str], rows: list[list[str]], alignment: str) -> list[str]:
    rule = ["---:" if side == "r" else "---" for side in alignment]
    return [f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows)]


def _listed(title: str, items: tuple[str, ...]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {_escaped(item)}" for item in items)] if items else []


def _escaped(text: str) -> str:
    return text.translate(_SPECIAL)
