"""Shares, intervals and the names of measures, as the page writes them."""

from __future__ import annotations

from latentvqa.core.figures import points

PRIOR_NAMES = {
    "global": "the most frequent answer",  # of earlier versions' files
    "answers": "the most frequent answer",
    "type": "the most frequent of each question type",
    "question_text": "the most frequent for the question's text",
    "question_words": "learnt from the question's words",
}
MEASURE_NAMES = {
    "exact_match": "exact match",
    "token_f1": "token F1",
    "vqa_official": "VQA accuracy (official)",
    "anls": "ANLS",
    "bleu": "BLEU (corpus)",
    "answer_nll": "answer loss, nats per answer",
    "exact_match_latents_shuffled": "exact match, latents shuffled",
}


def share_text(share: float) -> str:
    """A share in percent with one decimal; number and sign stay on one line."""
    return f"{100.0 * share:.1f}\N{NO-BREAK SPACE}%"


def width_text(share: float) -> str:
    """A share as a number of percent that draws a bar; within its ends, whatever the share."""
    return f"{100.0 * min(max(share, 0.0), 1.0):.2f}"


def interval_text(low: float | None, high: float | None) -> str:
    """An interval of a share in percent; empty without one."""
    return "" if low is None or high is None else f"{100.0 * low:.1f} to {100.0 * high:.1f}"


def points_text(difference: float) -> str:
    """How far two shares are apart."""
    return f"{points(abs(difference))} points"


def prior_name(name: str) -> str:
    """What an image-blind model answers from."""
    return PRIOR_NAMES.get(name, name.replace("_", " "))


def measure_name(name: str) -> str:
    """What a score is called."""
    return MEASURE_NAMES.get(name, name.replace("_", " "))
