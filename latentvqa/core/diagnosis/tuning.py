"""Automatic tuning as a pure function of the log: one change at a time.

At decision epochs the first advice that the rules still give is taken; three
epochs later it is kept or undone. All state is in the records themselves, so
that a resumed run decides as the uninterrupted one did. Nothing in here touches
a trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.tuning_events import events_of, pending_change
from latentvqa.core.records import EpochRecord, RunHeader, TuningEvent
from latentvqa.core.rules import advice
from latentvqa.core.rules.rule import Advice, Finding, finite
from latentvqa.core.rules.thresholds import KLHealthThresholds

EFFECT_EPOCHS = 3  # a change is judged so many epochs later

# What may change while a run goes on, in the order of trying.
TUNABLE = (advice.FACTOR_KEY, advice.LATENT_RATE_KEY)


def tuning_step(
    header: RunHeader, records: Sequence[EpochRecord], thresholds: KLHealthThresholds | None = None
) -> TuningEvent | None:
    """What to do after the last record.

    Args:
        header: what the run was made with, before any change.
        records: its epochs so far, with their events, in order.
        thresholds: limits of the rules; the defaults without one.

    Returns:
        A change, the keeping or undoing of the pending one, or None.
    """
    limits, last = thresholds or KLHealthThresholds(), records[-1]
    if last.tuning is not None:
        return None
    pending = pending_change(records)
    if pending is not None:
        due = last.epoch - pending.epoch >= EFFECT_EPOCHS
        return _judged(pending, records) if due else None
    if not is_decision_epoch(header, last, limits):
        return None
    lowest = best_validation_loss(records)
    if lowest is None:
        return None
    # an undoing goes back from the value that did not help
    refused = {(event.key, event.before) for event in events_of(records) if event.action == "undo"}
    found = diagnose(header, records, limits)
    for finding, change in _candidates(found.open_findings):
        if (change.key, change.after) not in refused:
            return TuningEvent(
                epoch=last.epoch,
                action="change",
                rule=finding.code,
                key=change.key,
                before=change.before,
                after=change.after,
                best_before=lowest,
            )
    return None


def is_decision_epoch(
    header: RunHeader, record: EpochRecord, thresholds: KLHealthThresholds
) -> bool:
    """After epochs 5 and 10, and every plateau's length from there on."""
    epoch = record.epoch - header.stages.baseline
    since = epoch - thresholds.tuning_epoch
    return epoch == thresholds.early_epoch or (
        since >= 0 and since % thresholds.plateau_epochs == 0
    )


def best_validation_loss(records: Sequence[EpochRecord]) -> float | None:
    """The lowest validation answer loss so far, in nats per token."""
    losses = (finite(record.val.answer_loss) for record in records)
    return min((loss for loss in losses if loss is not None), default=None)


def _judged(pending: TuningEvent, records: Sequence[EpochRecord]) -> TuningEvent:
    """Keep the change if validation has reached a new best since, else undo it."""
    later = [record for record in records if record.epoch > pending.epoch]
    reached = best_validation_loss(later)
    has_improved = reached is not None and reached < pending.best_before
    judged = replace(
        pending,
        epoch=records[-1].epoch,
        action="keep" if has_improved else "undo",
        best_after=reached,
    )
    return judged if has_improved else replace(judged, before=pending.after, after=pending.before)


def _candidates(findings: Sequence[Finding]) -> list[tuple[Finding, Advice]]:
    """Open advice that can be applied to a running model, in the order of trying."""
    found = [
        (finding, finding.advice)
        for finding in findings
        if finding.level in ("warning", "critical")
        and finding.advice is not None
        and finding.advice.key in TUNABLE
    ]
    # what is critical is urgent; everything else follows the hierarchy
    return sorted(found, key=lambda pair: (pair[0].level != "critical", TUNABLE.index(pair[1].key)))
