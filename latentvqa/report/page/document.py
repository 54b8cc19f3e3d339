"""Runs as a single HTML file: no script, no request, readable light, dark and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.diagnosis.what_if import WhatIf
from latentvqa.core.figures import figure
from latentvqa.core.rules.rule import severity
from latentvqa.history import History
from latentvqa.report.diagnosis.advice import advice_text, next_step_text
from latentvqa.report.diagnosis.columns import COLUMNS, MISSING, finding_name
from latentvqa.report.diagnosis.comparison import MEASURES, comparison_rows
from latentvqa.report.diagnosis.curves import charts, finding_marks, stage_spans
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.tables import span, verdict_name
from latentvqa.report.page.charts import findings_chart, legend, line_chart
from latentvqa.report.page.headline import WORD_LEVELS, Headline, headline_of, headline_of_log
from latentvqa.report.page.overlay import overlays, run_styles
from latentvqa.report.page.results import TableResult, result_view
from latentvqa.report.page.samples import Sample
from latentvqa.report.page.training_samples import TrainingSample, training_view
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
        results: what evaluations found, by table.
        training: questions that were asked after several epochs.
        training_note: what is to be said of them where they cannot be shown.
    """

    run: JudgedRun
    config_text: str | None = None
    samples: Sequence[Sample] = ()
    samples_note: str = ""
    results: Sequence[TableResult] = ()
    training: Sequence[TrainingSample] = ()
    training_note: str = ""

    @property
    def headline(self) -> Headline | None:
        """The score to begin with: of an evaluation, else of the log."""
        for one in self.results:
            if one.is_headline:
                return headline_of(one.found, one.name)
        return headline_of_log(self.run.history)


def render_report(report: RunReport) -> str:
    """Render a run as a self-contained HTML document."""
    run = _run(report, report.run.name, 0)
    return rendered("page.html", title=report.run.name, comparison=None, runs=[run])


def render_reports(reports: Sequence[RunReport]) -> str:
    """Render one run as it is, several folded below what compares them."""
    if len(reports) == 1:
        return render_report(reports[0])
    runs = [report.run for report in reports]
    names, rows = comparison_rows(runs)
    styles = run_styles(len(reports))
    compared = [
        {
            "name": name,
            "level": _class(report.run.diagnosis.verdict.level),
            "cells": cells,
            "style": style,
            "bars": () if report.headline is None else report.headline.bars,
            "latent": _latent(report.run.diagnosis),
        }
        for report, name, cells, style in zip(reports, names, rows, styles, strict=True)
    ]
    drawn = [
        {"title": one.title, "note": one.curve, "svg": _markup(one.svg), "is_inner": one.is_inner}
        for one in overlays(runs, names)
    ]
    return rendered(
        "page.html",
        title=f"{len(reports)} runs",
        comparison={"measures": MEASURES, "rows": compared, "charts": drawn},
        runs=[
            _run(report, name, place)
            for place, (report, name) in enumerate(zip(reports, names, strict=True))
        ],
    )


def _class(level: str) -> str:
    """A level as the class of an element."""
    return level.replace(" ", "-")


def _run(report: RunReport, name: str, place: int) -> dict[str, Any]:
    """What the template of a run shows, in the order of the page."""
    run = report.run
    history, diagnosis = run.history, run.diagnosis
    columns = [c for c in COLUMNS if any(c.cell(r) != MISSING for r in history.records)]
    first, more = _said(diagnosis, run.what_if)
    results = [result_view(one) for one in report.results]
    is_headline = [one.is_headline for one in report.results]
    drawn = _charts(run)
    return {
        "name": name,
        "id": f"r{place}",
        "level": _class(diagnosis.verdict.level),
        "verdict": verdict_name(diagnosis),
        "headline": report.headline,
        "said": first,
        "remarks": more,
        "results": results,
        "main": next((v for v, is_it in zip(results, is_headline, strict=True) if is_it), None),
        "others": [v for v, is_it in zip(results, is_headline, strict=True) if not is_it],
        "facts": _facts(history),
        "account": diagnosis.account,
        "charts": [chart for chart in drawn if not chart["is_inner"]],
        "inner_charts": [chart for chart in drawn if chart["is_inner"]],
        "findings": _findings(diagnosis),
        "columns": columns,
        "epochs": [[column.cell(record) for column in columns] for record in history.records],
        "samples": report.samples,
        "pictured": [n for n, one in enumerate(report.samples) if one.image is not None],
        "samples_note": report.samples_note,
        "training": training_view(report.training),
        "training_note": report.training_note,
        "not_judged": diagnosis.not_judged,
        "config": report.config_text,
    }


Said = list[dict[str, str]]


def _said(diagnosis: Diagnosis, what_if: WhatIf | None) -> tuple[Said, Said]:
    """The parts of the verdict, what decides first, each with its name; and remarks on it."""
    verdict, name = diagnosis.verdict, verdict_name(diagnosis)
    log = _part("Log", verdict.log, name, _class(verdict.level))
    parts = [log]
    if verdict.is_by_test:
        parts = [{**log, "label": "Latent"}]
    elif verdict.test is not None and (found := _latent(diagnosis)):
        latent = _part("Latent", verdict.test.sentence, found["word"], found["level"])
        is_harmless = severity(verdict.level) < severity("warning")
        parts = [latent, log] if is_harmless else [log, latent]
    parts.append(_part("", verdict.remark))
    parts.append(_part("Next", next_step_text(diagnosis.next_step)))
    parts.append(_part("What if", "" if what_if is None else what_if.sentence))
    more = [_part("", diagnosis.disagreement), *(_part("Note", one) for one in diagnosis.notes)]
    return [one for one in parts if one["text"]], [one for one in more if one["text"]]


def _latent(diagnosis: Diagnosis) -> dict[str, str] | None:
    """What the latent is used for, in a word with its level; None where it was not tested."""
    test = diagnosis.verdict.test
    if test is None:
        return None
    return {"word": test.word, "level": WORD_LEVELS.get(test.word, "critical")}


def _part(label: str, text: str, tag: str = "", level: str = "") -> dict[str, str]:
    return {"label": label, "text": text, "tag": tag, "level": level}


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
            "is_inner": chart.is_inner,
        }
        for chart in charts(run.history.header, records, run.thresholds)
    ]
    if marks:
        picture = _markup(findings_chart(marks, epochs, stages))
        title = "Findings over the epochs"
        drawn.append({"title": title, "svg": picture, "legend": [], "is_inner": False})
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
