"""What automatic tuning has done to a run so far, read from its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from latentvqa.core.records import EpochRecord, KLConvention, RunHeader, TuningEvent
from latentvqa.core.rules import advice

# changed by automatic tuning of earlier versions
FREE_BITS_KEY = "kl.free_bits"
KL_WARMUP_KEY = "kl.warmup_epochs"
TEACHER_KEY = "teacher.weight"
TEMPERATURE_KEY = "latent.temperature"


def events_of(records: Sequence[EpochRecord]) -> Iterator[TuningEvent]:
    """Every event of a run, in order."""
    return (record.tuning for record in records if record.tuning is not None)


def pending_change(records: Sequence[EpochRecord]) -> TuningEvent | None:
    """The change that has not been judged yet, if any."""
    pending = None
    for event in events_of(records):
        pending = event if event.action == "change" else None
    return pending


def tuned_values(records: Sequence[EpochRecord]) -> Mapping[str, float]:
    """What the events of a run have made of the configuration: dotted key to value.

    A key whose changes were all undone is absent: its own value is exact, that
    of a line of advice is rounded.
    """
    stacks: dict[str, list[float]] = {}
    for event in events_of(records):
        if event.action == "change":
            stacks.setdefault(event.key, []).append(event.after)
        elif event.action == "undo" and stacks.get(event.key):
            stacks[event.key].pop()
    return {key: values[-1] for key, values in stacks.items() if values}


def tuned_header(header: RunHeader, records: Sequence[EpochRecord]) -> RunHeader:
    """The header as it would be, had the run begun with its present values."""
    values = tuned_values(records)
    if not values:
        return header
    kl: KLConvention = replace(
        header.kl,
        factor=values.get(advice.FACTOR_KEY, header.kl.factor),
        free_bits=values.get(FREE_BITS_KEY, header.kl.free_bits),
    )
    warmup = values.get(KL_WARMUP_KEY, header.warmup_epochs)
    return replace(
        header,
        kl=kl,
        warmup_epochs=None if warmup is None else int(warmup),
        temperature=values.get(TEMPERATURE_KEY, header.temperature),
        teacher_weight=values.get(TEACHER_KEY, header.teacher_weight),
    )
