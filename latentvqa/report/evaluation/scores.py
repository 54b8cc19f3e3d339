"""An evaluation as rich renderables: measures, priors, types, confidence, latent use."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from latentvqa.core.estimates import Estimate
from latentvqa.core.figures import counted
from latentvqa.core.results.evaluation import EvaluationResult, SeenAnswers, TypeScores
from latentvqa.report.evaluation.confidence import confidence_lines
from latentvqa.report.evaluation.latent_use import latent_use_panel
from latentvqa.report.text import printable

_LABELS = {
    "exact_match": "exact match",
    "token_f1": "token F1",
    "vqa_official": "VQA accuracy (official)",
    "anls": "ANLS",
    "bleu": "BLEU (corpus)",
    "answer_nll": "answer loss (nats per answer)",
    "exact_match_latents_shuffled": "exact match, latents shuffled",
}
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
    parts: list[RenderableType] = [_measures(found)]
    if found.types:
        parts.append(_types(found.types))
    if (seen := found.seen_answers) is not None:
        parts.append(_seen(seen))
    parts += [_lead(found), confidence_lines(found.confidence)]
    if found.latent_use is not None:
        parts += ["", latent_use_panel(found.latent_use, width, says_verdict=says_verdict)]
    return Group(*parts)


def _measures(found: EvaluationResult) -> Table:
    title = f"{counted(found.questions, 'question')} on {counted(found.images, 'image')}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("measure", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for name, measure in found.metrics.items():
        is_share = name != "answer_nll"
        table.add_row(_LABELS[name], _figure(measure.value, is_share), _range(measure, is_share))
    for name, prior in found.priors.items():
        table.add_row(_PRIOR_LABELS[name], _figure(prior, True), "")
    if found.seen_answers is not None:
        bound = found.seen_answers.upper_bound
        table.add_row("most that the words known allow", _figure(bound, True), "")
    return table


def _types(types: Mapping[str, TypeScores]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("type", "questions", "exact match", "95 % interval", "blind prior"):
        table.add_column(heading, justify="left" if heading == "type" else "right")
    for name, scores in types.items():
        shown = Text(printable(name), overflow="fold")
        prior = "-" if scores.prior is None else _figure(scores.prior, True)
        table.add_row(shown, *_scored(scores.exact_match), prior)
    return table


def _seen(seen: SeenAnswers) -> Table | Text:
    bands = seen.exact_match_by_times_trained_on
    if len(bands) < 2:  # one band is the whole table once more
        return Text("")
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("answer trained on", "questions", "exact match", "95 % interval"):
        table.add_column(heading, justify="left" if heading == "answer trained on" else "right")
    for name, measure in bands.items():
        table.add_row(f"{name} times", *_scored(measure))
    return table


def _lead(found: EvaluationResult) -> Text:
    best = found.best_prior
    if best is None:
        return Text("not compared with image-blind models: none is known of this run")
    name, prior = best
    gain = found.metrics["exact_match"].value - prior
    return Text(
        f"{gain * 100:+.1f} points over the best model without images "
        f"({_PRIOR_LABELS[name].removeprefix(_PRIOR)}, {prior * 100:.1f} %)",
        style="bold green" if gain > 0 else "bold red",
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
