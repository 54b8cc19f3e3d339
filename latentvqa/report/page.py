"""One run as a single HTML file: no script, no request, readable light and dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from latentvqa.core.diagnosis import Diagnosis
from latentvqa.core.findings import figure, percent
from latentvqa.core.thresholds import KLHealthThresholds
from latentvqa.core.what_if import WhatIf
from latentvqa.history import History
from latentvqa.report.columns import COLUMNS, MISSING
from latentvqa.report.curves import charts, stage_spans
from latentvqa.report.page_style import STYLE
from latentvqa.report.svg import legend, line_chart
from latentvqa.report.tables import span


@dataclass(frozen=True)
class Sample:
    """One answered question to show.

    Attributes:
        question: the question.
        answer: what the model said.
        reference: the expected answer, if there is one.
        confidence: probability of the whole answer, as a fraction.
        is_correct: whether the answer equals a reference; None if unknown.
        image: encoded image, small.
        image_type: its media type.
    """

    question: str
    answer: str
    reference: str | None = None
    confidence: float | None = None
    is_correct: bool | None = None
    image: bytes | None = None
    image_type: str = "image/jpeg"


def render_report(
    history: History,
    diagnosis: Diagnosis,
    config_text: str | None = None,
    samples: Sequence[Sample] | None = None,
    *,
    what_if: WhatIf | None = None,
    thresholds: KLHealthThresholds | None = None,
) -> str:
    """Render a run as a self-contained page.

    Args:
        history: the log.
        diagnosis: what the rules say about it.
        config_text: the resolved configuration, shown as it is.
        samples: answered questions to show.
        what_if: the cost of another allowance, if asked for.
        thresholds: limits to draw; the defaults without them.

    Returns:
        The HTML document.
    """
    name = escape(history.header.name or history.path.parent.name or str(history.path))
    body = [
        f"<h1>{name}</h1>",
        _verdict(diagnosis, what_if),
        _facts(history),
        _charts(history, thresholds),
        _findings(diagnosis),
        _epochs(history),
        _samples(samples or ()),
        _listed("Not judged", diagnosis.not_judged),
        _config(config_text),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{name} - LatentVQA</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(filter(None, body))}\n</main></body></html>\n"
    )


def _verdict(diagnosis: Diagnosis, what_if: WhatIf | None) -> str:
    verdict = diagnosis.verdict
    name = verdict.level if verdict.code == verdict.level else f"{verdict.level}: {verdict.code}"
    lines = [f'<p class="level">{escape(name)}</p>', f"<p>{escape(verdict.sentence)}</p>"]
    if diagnosis.next_step:
        lines.append(f"<p><b>Next:</b> {escape(diagnosis.next_step)}</p>")
    if what_if is not None:
        lines.append(f"<p><b>What if:</b> {escape(what_if.sentence)}</p>")
    lines += [f"<p><b>Note:</b> {escape(note)}</p>" for note in diagnosis.notes]
    return f'<section class="verdict {verdict.level}">{"".join(lines)}</section>'


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


def _charts(history: History, thresholds: KLHealthThresholds | None) -> str:
    if not history.records:
        return ""
    epochs, stages = [r.epoch for r in history.records], stage_spans(history.records)
    drawn = [
        f"<figure><figcaption>{escape(chart.title)}</figcaption>"
        f"{line_chart(chart, epochs, stages)}{legend(chart)}</figure>"
        for chart in charts(history.header, history.records, thresholds)
    ]
    return f'<h2>Curves</h2><div class="charts">{"".join(drawn)}</div>'


def _findings(diagnosis: Diagnosis) -> str:
    if not diagnosis.findings:
        return ""
    rows = []
    for finding in diagnosis.findings:
        said = escape(finding.sentence)
        if finding.advice is not None:
            said += f"<br><code>{escape(finding.advice)}</code>"
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
        f'<h2>Epochs</h2><div class="wide"><table class="epochs"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _samples(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    return f'<h2>Answers</h2><div class="samples">{"".join(map(_sample, samples))}</div>'


def _sample(sample: Sample) -> str:
    picture = ""
    if sample.image is not None:
        content = b64encode(sample.image).decode("ascii")
        picture = f'<img alt="" src="data:{escape(sample.image_type)};base64,{content}">'
    said = f"<b>{escape(sample.answer)}</b>"
    if sample.confidence is not None:
        said += f" <small>{escape(percent(sample.confidence))}</small>"
    if sample.is_correct is not None:
        said += ' <span class="tag ok">right</span>' if sample.is_correct else _WRONG
    if sample.reference is not None and not sample.is_correct:
        said += f"<br><small>expected {escape(sample.reference)}</small>"
    return f"<figure>{picture}<p>{escape(sample.question)}</p><p>{said}</p></figure>"


def _listed(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    return f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _config(text: str | None) -> str:
    if text is None:
        return ""
    return f"<details><summary>Configuration</summary><pre>{escape(text)}</pre></details>"


_WRONG = ' <span class="tag critical">wrong</span>'
