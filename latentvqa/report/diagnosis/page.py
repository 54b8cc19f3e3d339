"""Runs as a single HTML file: no script, no request, readable light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.diagnosis.what_if import WhatIf
from latentvqa.core.rules.rule import figure
from latentvqa.history import History
from latentvqa.report.diagnosis.advice import advice_text, next_step_text
from latentvqa.report.diagnosis.columns import COLUMNS, MISSING
from latentvqa.report.diagnosis.comparison import MEASURES, comparison_rows
from latentvqa.report.diagnosis.curves import charts, finding_marks, stage_spans
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.page_samples import Sample, samples_section
from latentvqa.report.diagnosis.svg import findings_chart, legend, line_chart
from latentvqa.report.diagnosis.tables import span, verdict_name
from latentvqa.report.style import STYLE


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
    return _document(report.run.name, _run(report, report.run.name))


def render_reports(reports: Sequence[RunReport]) -> str:
    """Render one run as it is, several below a table that compares them."""
    if len(reports) == 1:
        return render_report(reports[0])
    names, rows = comparison_rows([report.run for report in reports])
    sections = [
        f'<section class="run" id="run-{index}">\n{_run(report, names[index])}\n</section>'
        for index, report in enumerate(reports)
    ]
    title = f"{len(reports)} runs"
    table = _comparison([report.run for report in reports], names, rows)
    return _document(title, "\n".join([f"<h1>{title}</h1>", table, *sections]))


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)} - LatentVQA</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _run(report: RunReport, name: str) -> str:
    run = report.run
    parts = [
        f"<h1>{escape(name)}</h1>",
        _verdict(run.diagnosis, run.what_if),
        _facts(run.history),
        _account(run.diagnosis),
        _charts(run),
        _findings(run.diagnosis),
        _epochs(run.history),
        samples_section(report.samples, report.samples_note),
        _listed("Not judged", run.diagnosis.not_judged),
        _config(report.config_text),
    ]
    return "\n".join(filter(None, parts))


def _comparison(runs: Sequence[JudgedRun], names: list[str], rows: list[list[str]]) -> str:
    head = "".join(
        f'<th class="{measure.justify}" title="{escape(measure.meaning)}">'
        f"{escape(measure.title)}</th>"
        for measure in MEASURES
    )
    body = []
    for index, (run, name, row) in enumerate(zip(runs, names, rows, strict=True)):
        cells = [
            f'<td><a href="#run-{index}">{escape(name)}</a></td>',
            f'<td><span class="tag {run.diagnosis.verdict.level}">{escape(row[0])}</span></td>',
        ]
        cells += [
            f'<td class="{measure.justify}">{escape(text)}</td>'
            for measure, text in zip(MEASURES[1:], row[1:], strict=True)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="wide"><table class="comparison"><thead><tr><th>run</th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _verdict(diagnosis: Diagnosis, what_if: WhatIf | None) -> str:
    verdict = diagnosis.verdict
    name = escape(verdict_name(diagnosis))
    lines = [f'<p class="level">{name}</p>', f"<p>{escape(verdict.sentence)}</p>"]
    if diagnosis.disagreement:
        lines.append(f"<p>{escape(diagnosis.disagreement)}</p>")
    if step := next_step_text(diagnosis.next_step):
        lines.append(f"<p><b>Next:</b> {escape(step)}</p>")
    if what_if is not None:
        lines.append(f"<p><b>What if:</b> {escape(what_if.sentence)}</p>")
    lines += [f"<p><b>Note:</b> {escape(note)}</p>" for note in diagnosis.notes]
    return f'<section class="verdict {verdict.level}">{"".join(lines)}</section>'


def _account(diagnosis: Diagnosis) -> str:
    if not diagnosis.account:
        return ""
    rows = "".join(
        f"<tr><td>{escape(a.name)}</td><td>{escape(a.value)}</td><td>{escape(a.meaning)}</td></tr>"
        for a in diagnosis.account
    )
    head = "<tr><th>measure</th><th>value</th><th>what it means for this run</th></tr>"
    return (
        f'<h2>Information</h2><div class="wide"><table><thead>{head}</thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _facts(history: History) -> str:
    header, kl = history.header, history.header.kl
    facts = [
        ("bottleneck", f"{kl.bottleneck}, {kl.tokens} x {kl.dims}"),
        ("KL", f"{kl.reduction}, free_bits {figure(kl.free_bits)}"),
        ("full weight", f"{figure(kl.max_weight)} x {figure(kl.factor)}"),
        ("epochs", str(len(history.records))),
    ]
    if header.seed is not None:
        facts.append(("seed", str(header.seed)))
    return f'<dl class="facts">{"".join(map(_fact, facts))}</dl>'


def _fact(pair: tuple[str, str]) -> str:
    return f"<div><dt>{escape(pair[0])}</dt><dd>{escape(pair[1])}</dd></div>"


def _charts(run: JudgedRun) -> str:
    records = run.history.records
    if not records:
        return ""
    epochs, stages = [record.epoch for record in records], stage_spans(records)
    marks = finding_marks(run.diagnosis)
    drawn = [
        f"<figure><figcaption>{escape(chart.title)}</figcaption>"
        f"{line_chart(chart, epochs, stages, marks)}{legend(chart)}</figure>"
        for chart in charts(run.history.header, records, run.thresholds)
    ]
    if marks:
        drawn.append(
            "<figure><figcaption>Findings over the epochs</figcaption>"
            f"{findings_chart(marks, epochs, stages)}</figure>"
        )
    return f'<h2>Curves</h2><div class="charts">{"".join(drawn)}</div>'


def _findings(diagnosis: Diagnosis) -> str:
    if not diagnosis.findings:
        return ""
    rows = []
    for finding in diagnosis.findings:
        said = escape(finding.sentence)
        if finding.advice is not None:
            said += f"<br><code>{escape(advice_text(finding.advice))}</code>"
        level = finding.level if finding.is_open else f"past {finding.level}"
        rows.append(
            f'<tr class="{"" if finding.is_open else "past"}">'
            f'<td><span class="tag {finding.level}">{escape(level)}</span></td>'
            f"<td>{escape(finding.code)}<br><small>{escape(finding.name)}</small></td>"
            f"<td>{span(finding.epochs)}</td><td>{said}</td></tr>"
        )
    head = "<tr><th>level</th><th>rule</th><th>epochs</th><th>finding</th></tr>"
    return (
        f'<h2>Findings</h2><div class="wide"><table class="findings"><thead>{head}</thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _epochs(history: History) -> str:
    if not history.records:
        return ""
    shown = [c for c in COLUMNS if any(c.cell(r) != MISSING for r in history.records)]
    head = "".join(
        f'<th class="{column.justify}" title="{escape(column.meaning)}">'
        f"{escape(column.title).replace(chr(10), '<br>')}</th>"
        for column in shown
    )
    rows = "".join(
        "<tr>"
        + "".join(f'<td class="{c.justify}">{escape(c.cell(record))}</td>' for c in shown)
        + "</tr>"
        for record in history.records
    )
    return (
        '<h2>Epochs</h2><div class="wide long"><table class="epochs">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _listed(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    return f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _config(text: str | None) -> str:
    if text is None:
        return ""
    return f"<details><summary>Configuration</summary><pre>{escape(text)}</pre></details>"
