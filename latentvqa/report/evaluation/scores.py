"""An evaluation as rich renderables: measures, priors, types, confidence, latent use."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted, points
from latentvqa.core.results.evaluation import EvaluationResult, SeenAnswers, TypeScores
from latentvqa.report.evaluation.confidence import confidence_lines
from latentvqa.report.evaluation.latent_use import latent_use_panel
from latentvqa.report.figure_table import Row, figure_table
from latentvqa.report.style import CRITICAL, OK
from latentvqa.report.whole_words import Prose

_LABELS = {
    "exact_match": "exact match",
    "token_f1": "token F1",
    "vqa_official": "VQA accuracy (official)",
    "anls": "ANLS",
    "bleu": "BLEU (corpus)",
    "answer_nll": "answer loss (nats per answer)",
    "exact_match_latents_shuffled": "exact match, latents shuffled",
}
_SCORED = ("questions", "exact\nmatch", "95 %\ninterval")
_PRIOR = "without images: "
_PRIOR_LABELS = {
    "global": f"{_PRIOR}most frequent answer",  # of earlier versions' files
    "answers": f"{_PRIOR}most frequent answer",
    "type": f"{_PRIOR}per question type",
    "question_text": f"{_PRIOR}per question text",
    "question_words": f"{_PRIOR}from the question's words",
}


def score_panel(found: EvaluationResult, width: int, *, says_verdict: bool = True) -> Group:
    """Lay out what ``evaluate`` found; shares become percent here.

    Args:
        found: the scores and all beside them.
        width: columns of the console.
        says_verdict: false where the verdict on the latent stands elsewhere.
    """
    parts: list[RenderableType] = [_measures(found, width)]
    if found.types:
        parts.append(_types(found.types, width))
    if (seen := found.seen_answers) is not None:
        parts.append(_seen(seen, width))
    parts += [_lead(found), confidence_lines(found.confidence)]
    if found.latent_use is not None:
        parts += ["", latent_use_panel(found.latent_use, width, says_verdict=says_verdict)]
    return Group(*parts)


def _measures(found: EvaluationResult, width: int) -> RenderableType:
    rows: list[Row] = []
    for name, measure in found.metrics.items():
        is_share = name != "answer_nll"
        rows.append((_LABELS[name], (_figure(measure.value, is_share), _range(measure, is_share))))
    rows += [(_PRIOR_LABELS[name], (_figure(p, True), "")) for name, p in found.priors.items()]
    if found.seen_answers is not None:
        bound = _figure(found.seen_answers.upper_bound, True)
        rows.append(("most that the words known allow", (bound, "")))
    title = f"{counted(found.questions, 'question')} on {counted(found.images, 'image')}"
    return figure_table("measure", ("value", "95 % interval"), rows, width, title)


def _types(types: Mapping[str, TypeScores], width: int) -> RenderableType:
    rows = [
        (name, (*_scored(one.exact_match), "-" if one.prior is None else _figure(one.prior, True)))
        for name, one in types.items()
    ]
    return figure_table("type", (*_SCORED, "blind\nprior"), rows, width)


def _seen(seen: SeenAnswers, width: int) -> RenderableType:
    bands = seen.exact_match_by_times_trained_on
    if len(bands) < 2:  # one band is the whole table once more
        return ""
    rows = [(f"{name} times", _scored(measure)) for name, measure in bands.items()]
    return figure_table("answer trained on", _SCORED, rows, width)


def _lead(found: EvaluationResult) -> Text:
    best = found.best_prior
    if best is None:
        return Text("not compared with image-blind models: none is known of this run")
    name, prior = best
    gain = found.metrics["exact_match"].value - prior
    return Prose(
        f"{points(gain, '+')} points over the best model without images "
        f"({_PRIOR_LABELS[name].removeprefix(_PRIOR)}, {prior * 100:.1f} %)",
        style=f"bold {OK}" if gain > 0 else f"bold {CRITICAL}",
    )


def _scored(measure: Estimate) -> tuple[str, str, str]:
    return f"{measure.n:,}", _figure(measure.value, True), _range(measure, True)


def _figure(value: float, is_share: bool) -> str:
    return f"{value * 100:.2f} %" if is_share else f"{value:.4f}"


def _range(measure: Estimate, is_share: bool) -> str:
    if measure.low is None or measure.high is None:
        return "one image"
    if is_share:
        return f"{measure.low * 100:.2f} to {measure.high * 100:.2f} %"
    return f"{measure.low:.4f} to {measure.high:.4f}"
