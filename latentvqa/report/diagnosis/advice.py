"""Advice and automatic tuning in words: the only place where a change becomes text."""

from __future__ import annotations

from latentvqa.core.diagnosis.verdict import NextStep
from latentvqa.core.figures import figure
from latentvqa.core.records import TuningEvent
from latentvqa.core.rules.catalogue import plain_name
from latentvqa.core.rules.rule import Advice


def advice_text(advice: Advice) -> str:
    """A change as one line of a configuration: ``kl.factor: 0.2 -> 0.15``."""
    return f"{advice.key}: {_value(advice.before)} -> {_value(advice.after)}"


def next_step_text(step: NextStep) -> str:
    """One thing to do now; empty where there is none."""
    if step.advice is None:
        return step.sentence
    foreign = "" if step.is_own else ", or what it is called in your code"
    return f"Try {advice_text(step.advice)} ({plain_name(step.rule)}){foreign}."


def tuning_text(event: TuningEvent) -> str:
    """What automatic tuning did after an epoch, as one line for a console or a log."""
    change = advice_text(Advice(event.key, event.before, event.after))
    rule = plain_name(event.rule)
    if event.action == "change":
        return f"auto-tune after epoch {event.epoch}: {change} ({rule})"
    effect = (
        f"best validation answer loss {figure(event.best_before)} -> {figure(event.best_after)}"
    )
    # a new best proves nothing: the loss may have fallen without the change as well
    verb = "kept, not shown to help" if event.action == "keep" else "undone"
    return f"auto-tune after epoch {event.epoch}: {verb}, {change} ({rule}; {effect})"


def _value(value: float) -> str:
    """A value as one would type it: a learning rate with its power of ten."""
    if not 0.0 < value < 1e-3:
        return figure(value)
    digits, _, power = f"{value:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
