"""Runs as a single HTML file: no script, no request, readable light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.diagnosis.what_if import WhatIf
from latentvqa.core.figures import figure
from latentvqa.history import History
from latentvqa.report.diagnosis.advice import advice_text, next_step_text
from latentvqa.report.diagnosis.columns import COLUMNS, MISSING, finding_name
from latentvqa.report.diagnosis.comparison import MEASURES, comparison_rows
from latentvqa.report.diagnosis.curves import charts, finding_marks, stage_spans
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.page_samples import Sample
from latentvqa.report.diagnosis.svg import findings_chart, legend, line_chart
from latentvqa.report.diagnosis.tables import span, verdict_name
from latentvqa.report.pages import rendered

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class RunReport:
    """What the page shows of a run.

    Attributes:
        run: the log and its diagnosis.
        config_text: the resolved configuration, shown as it is.
        samples: answered questions to show.
        samples_note: where they come from and how they were chosen.
    """

    run: JudgedRun
    config_text: str | None = None
    samples: Sequence[Sample] = ()
    samples_note: str = ""


def render_report(report: RunReport) -> str:
    """Render a run as a self-contained HTML document."""
    runs = [_run(report, report.run.name)]
    return rendered("page.html", title=report.run.name, comparison=None, runs=runs)


def render_reports(reports: Sequence[RunReport]) -> str:
    """Render one run as it is, several below a table that compares them."""
    if len(reports) == 1:
        return render_report(reports[0])
    names, rows = comparison_rows([report.run for report in reports])
    compared = [
        {"name": name, "level": _class(report.run.diagnosis.verdict.level), "cells": cells}
        for report, name, cells in zip(reports, names, rows, strict=True)
    ]
    return rendered(
        "page.html",
        title=f"{len(reports)} runs",
        comparison={"measures": MEASURES, "rows": compared},
        runs=[_run(report, name) for report, name in zip(reports, names, strict=True)],
    )


def _class(level: str) -> str:
    """A level as the class of an element."""
    return level.replace(" ", "-")


def _run(report: RunReport, name: str) -> dict[str, Any]:
    """What the template of a run shows, in the order of the page."""
    run = report.run
    history, diagnosis = run.history, run.diagnosis
    columns = [c for c in COLUMNS if any(c.cell(r) != MISSING for r in history.records)]
    return {
        "name": name,
        "level": _class(diagnosis.verdict.level),
        "verdict": verdict_name(diagnosis),
        "said": _said(diagnosis, run.what_if),
        "facts": _facts(history),
        "account": diagnosis.account,
        "charts": _charts(run),
        "findings": _findings(diagnosis),
        "columns": columns,
        "epochs": [[column.cell(record) for column in columns] for record in history.records],
        "samples": report.samples,
        "samples_note": report.samples_note,
        "not_judged": diagnosis.not_judged,
        "config": report.config_text,
    }


def _said(diagnosis: Diagnosis, what_if: WhatIf | None) -> list[dict[str, str]]:
    """The sentences of the verdict, each with the word before it."""
    said = [("", diagnosis.verdict.sentence), ("", diagnosis.disagreement)]
    said.append(("Next", next_step_text(diagnosis.next_step)))
    said.append(("What if", "" if what_if is None else what_if.sentence))
    said += [("Note", note) for note in diagnosis.notes]
    return [{"label": label, "text": text} for label, text in said if text]


def _facts(history: History) -> list[tuple[str, str]]:
    header, kl = history.header, history.header.kl
    facts = [
        ("bottleneck", f"{kl.bottleneck}, {kl.tokens} x {kl.dims}"),
        ("KL", f"{kl.reduction}, free_bits {figure(kl.free_bits)}"),
        ("full weight", f"{figure(kl.max_weight)} x {figure(kl.factor)}"),
        ("epochs", str(len(history.records))),
    ]
    if header.seed is not None:
        facts.append(("seed", str(header.seed)))
    return facts


def _charts(run: JudgedRun) -> list[dict[str, Any]]:
    records = run.history.records
    if not records:
        return []
    epochs, stages = [record.epoch for record in records], stage_spans(records)
    marks = finding_marks(run.diagnosis)
    drawn: list[dict[str, Any]] = [
        {
            "title": chart.title,
            "svg": _markup(line_chart(chart, epochs, stages, marks)),
            "legend": legend(chart),
        }
        for chart in charts(run.history.header, records, run.thresholds)
    ]
    if marks:
        picture = _markup(findings_chart(marks, epochs, stages))
        drawn.append({"title": "Findings over the epochs", "svg": picture, "legend": []})
    return drawn


def _markup(svg: str) -> Markup:
    """A chart, whose texts are escaped where it is drawn."""
    from markupsafe import Markup

    return Markup(svg)


def _findings(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    return [
        {
            "level": finding.level,
            "is_open": finding.is_open,
            "code": finding.code,
            "name": finding_name(finding.name, finding.level),
            "epochs": span(finding.epochs),
            "sentence": finding.sentence,
            "advice": "" if finding.advice is None else advice_text(finding.advice),
        }
        for finding in diagnosis.findings
    ]
