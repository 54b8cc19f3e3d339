"""An evaluation as the page shows it: types, scores, confidence, latent use, attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted, figure
from latentvqa.core.results.confidence import Confidence
from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.core.results.latent_use import BASE, OTHER_IMAGE, LatentUse
from latentvqa.report.evaluation.attention import HOW_TO_READ
from latentvqa.report.evaluation.confidence import DASHED, DOTS
from latentvqa.report.evaluation.latent_use import arm_label, change_text, fact_rows
from latentvqa.report.evaluation.map_notice import sameness_notice
from latentvqa.report.page.confusion import Confusion, confusion_view
from latentvqa.report.page.headline import WORD_LEVELS
from latentvqa.report.page.result_charts import attention_maps, reliability_chart, risk_chart
from latentvqa.report.page.words import (
    interval_text,
    measure_name,
    prior_name,
    share_text,
    width_text,
)

if TYPE_CHECKING:
    from markupsafe import Markup

FIRST_SECTIONS = ("latents", "input")  # of the exchanges; others are folded away


@dataclass(frozen=True)
class TableResult:
    """What an evaluation of a run on a table found.

    Attributes:
        name: what the table is called.
        found: the evaluation.
        confusion: which answers are taken for which, if that is known.
        is_headline: whether the page begins with it.
    """

    name: str
    found: EvaluationResult
    confusion: Confusion | None = None
    is_headline: bool = False


def result_row(result: TableResult) -> dict[str, Any]:
    """One line of the table of evaluations."""
    found, use = result.found, result.found.latent_use
    prior = found.best_prior
    other = None if use is None else use.arms.get(OTHER_IMAGE)
    verdict = None if use is None else use.verdict
    return {
        "name": result.name,
        "checkpoint": found.checkpoint,
        "questions": f"{found.questions:,}",
        "images": f"{found.images:,}",
        "score": _bar(found.metrics["exact_match"]),
        "prior": "-" if prior is None else share_text(prior[1]),
        "other": "-" if other is None else share_text(other.exact_match.value),
        "verdict": "-" if verdict is None else verdict.word,
        "level": "" if verdict is None else WORD_LEVELS.get(verdict.word, "critical"),
    }


def result_view(result: TableResult) -> dict[str, Any]:
    """All that the template shows of an evaluation; what was not recorded is empty."""
    found = result.found
    use = found.latent_use
    return {
        "row": result_row(result),
        "types": _types(found),
        "seen": _seen(found),
        "measures": _measures(found),
        "confusion": None if result.confusion is None else confusion_view(result.confusion),
        "confidence": _confidence(found.confidence),
        "latent": None if use is None else _latent(use),
        "maps": [] if use is None or use.attention is None else _maps(use),
        "how_to_read_maps": HOW_TO_READ,
        "maps_notice": "" if use is None else sameness_notice(use.map_divergence),
    }


def _bar(measure: Estimate, prior: float | None = None) -> dict[str, Any]:
    """A share with what draws it as a bar, in percent of its width."""
    has_ends = measure.low is not None and measure.high is not None
    return {
        "value": share_text(measure.value),
        "interval": interval_text(measure.low, measure.high),
        "n": f"{measure.n:,}",
        "at": width_text(measure.value),
        "low": width_text(measure.low or 0.0) if has_ends else None,
        "high": width_text(measure.high or 0.0) if has_ends else None,
        "prior": None if prior is None else width_text(prior),
        "prior_text": "-" if prior is None else share_text(prior),
    }


def _types(found: EvaluationResult) -> list[dict[str, Any]]:
    ordered = sorted(found.types.items(), key=lambda item: (-item[1].exact_match.n, item[0]))
    return [{"name": name, **_bar(one.exact_match, one.prior)} for name, one in ordered]


def _seen(found: EvaluationResult) -> list[dict[str, Any]]:
    """Scores by how often the answer was trained on; one band alone says nothing."""
    if found.seen_answers is None:
        return []
    bands = found.seen_answers.exact_match_by_times_trained_on
    if len(bands) < 2:
        return []
    return [{"name": f"{name} times", **_bar(measure)} for name, measure in bands.items()]


def _measures(found: EvaluationResult) -> list[tuple[str, str, str, str]]:
    """Name, value, interval and meaning of every score."""
    rows = []
    for name, measure in found.metrics.items():
        if name == "answer_nll":
            ends = (measure.low, measure.high)
            known = " to ".join(f"{end:.2f}" for end in ends if end is not None)
            value = f"{measure.value:.2f}"
        else:
            value, known = share_text(measure.value), interval_text(measure.low, measure.high)
        rows.append((measure_name(name), value, known, found.protocols.get(name, "")))
    for name, prior in found.priors.items():
        rows.append(("without images", share_text(prior), "", prior_name(name)))
    if found.seen_answers is not None:
        bound = share_text(found.seen_answers.upper_bound)
        rows.append(("most that is possible", bound, "", "answers made of words that it knows"))
    return rows


def _confidence(found: Confidence) -> dict[str, Any]:
    facts = [("calibration error", share_text(found.calibration_error.value))]
    if (expected := found.calibration_error_if_calibrated) is not None:
        facts.append(("the same if perfect", share_text(expected.value)))
    if found.auroc is not None:
        facts.append(("AUROC of being right", f"{found.auroc.value:.3f}"))
    facts.append(("risk-coverage area", share_text(found.aurc.value)))
    facts += _told("right among the surest {}", found.accuracy_at_coverage)
    facts += _told("answerable at a risk of {}", found.coverage_at_risk)
    facts.append(("logit temperature", figure(found.logit_temperature)))
    return {
        "charts": [
            ("Reliability", _markup(reliability_chart(found)), DOTS),
            ("Risk and coverage", _markup(risk_chart(found)), DASHED),
        ],
        "facts": facts,
    }


def _told(name: str, shares: Mapping[float, float]) -> list[tuple[str, str]]:
    return [(name.format(f"{100 * at:.3g} %"), share_text(value)) for at, value in shares.items()]


def _latent(use: LatentUse) -> dict[str, Any]:
    first: list[dict[str, Any]] = []
    more: list[dict[str, Any]] = []
    for name, arm in use.arms.items():
        try:
            section, label = arm_label(name)
        except KeyError:  # of a version that names it otherwise
            section, label = FIRST_SECTIONS[0], name.replace("_", " ")
        row = {
            "section": section,
            "name": label,
            **_bar(arm.exact_match),
            "change": "" if name == BASE else change_text(arm.difference),
            "flips": "" if name == BASE else share_text(arm.flip_rate.value),
            "nats": f"{arm.answer_nll.value:.3f}",
        }
        (first if section in FIRST_SECTIONS else more).append(row)
    verdict = use.verdict
    return {
        "word": "" if verdict is None else verdict.word,
        "level": "" if verdict is None else WORD_LEVELS.get(verdict.word, "critical"),
        "sentence": "" if verdict is None else verdict.sentence,
        "asked": f"{counted(use.questions, 'question')}, {counted(use.images, 'image')}",
        "arms": sorted(first, key=lambda row: FIRST_SECTIONS.index(row["section"])),
        "more": more,
        "facts": fact_rows(use),
    }


def _maps(use: LatentUse) -> list[tuple[Markup, str]]:
    assert use.attention is not None, "only asked of an examination with attention"
    return [(_markup(picture), told) for picture, told in attention_maps(use.attention)]


def _markup(svg: str) -> Markup:
    """A picture, whose texts are escaped where it is drawn."""
    from markupsafe import Markup

    return Markup(svg)
