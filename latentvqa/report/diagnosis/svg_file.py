"""A run's curves as one SVG file that stands alone: no page, no plotting library."""

from __future__ import annotations

from html import escape

from latentvqa.report.diagnosis.curves import Chart, charts, finding_marks, stage_spans
from latentvqa.report.diagnosis.judged_run import JudgedRun
from latentvqa.report.diagnosis.svg import (
    DASHES,
    HEIGHT,
    WIDTH,
    findings_height,
    findings_parts,
    line_chart_parts,
)
from latentvqa.report.style import LIGHT, chart_style_in

COLUMNS = 2
MARGIN, HEAD, CAPTION, LEGEND = 16, 34, 20, 26
CHARACTER = 6.2  # width of a letter in the legend, roughly
SAMPLE = 26  # length of a curve's sample in the legend


def curves_svg(run: JudgedRun) -> str:
    """Draw the curves of a run and its findings.

    Args:
        run: the run; one epoch is enough.

    Returns:
        An SVG document, light, without CSS variables, scripts or references.

    Raises:
        ValueError: if the records hold nothing to draw.
    """
    header, records = run.history.header, run.history.records
    drawn = charts(header, records, run.thresholds)
    if not drawn:
        raise ValueError("the records hold nothing to draw")
    epochs, stages = [record.epoch for record in records], stage_spans(records)
    marks = finding_marks(run.diagnosis)
    cells = [
        (chart.title, line_chart_parts(chart, epochs, stages, marks) + _legend(chart), HEIGHT)
        for chart in drawn
    ]
    if marks:
        findings = findings_parts(marks, epochs, stages)
        cells.append(("Findings over the epochs", findings, findings_height(marks)))
    parts, y = [], float(HEAD)
    for start in range(0, len(cells), COLUMNS):
        row = cells[start : start + COLUMNS]
        for column, (title, content, _) in enumerate(row):
            x = MARGIN + column * (WIDTH + MARGIN)
            parts.append(
                f'<g transform="translate({x},{y + CAPTION:.0f})">'
                f'<text class="caption" x="0" y="-4">{escape(title)}</text>{content}</g>'
            )
        y += CAPTION + max(height for *_, height in row) + LEGEND
    width, height = MARGIN + COLUMNS * (WIDTH + MARGIN), round(y) + MARGIN
    style = (
        "text{font-family:system-ui,'DejaVu Sans',sans-serif}"
        f"{chart_style_in(LIGHT)}svg .caption,svg .name{{fill:{LIGHT['ink']};font-weight:600}}"
        "svg .caption{font-size:13px}svg .name{font-size:16px}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img"><style>{style}</style>'
        f'<rect width="{width}" height="{height}" fill="{LIGHT["ground"]}"/>'
        f'<text class="name" x="{MARGIN}" y="24">{escape(run.name)}</text>{"".join(parts)}</svg>\n'
    )


def _legend(chart: Chart) -> str:
    """The names of the curves below a chart."""
    parts, x, y = [], 4.0, HEIGHT + 8
    for index, curve in enumerate(chart.curves):
        parts.append(
            f'<line class="curve c{index}" stroke-dasharray="{DASHES[index % len(DASHES)]}" '
            f'x1="{x:.0f}" y1="{y}" x2="{x + SAMPLE:.0f}" y2="{y}"/>'
            f'<text x="{x + SAMPLE + 5:.0f}" y="{y + 4}">{escape(curve.label)}</text>'
        )
        x += SAMPLE + 20 + CHARACTER * len(curve.label)
    return "".join(parts)
