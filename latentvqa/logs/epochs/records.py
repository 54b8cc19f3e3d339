"""Added-up rows to epoch records: means of steps, or the last of repeated epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentvqa.core.figures import counted
from latentvqa.core.records import EpochRecord, SplitMetrics, Stage
from latentvqa.logs.columns.fields import Field, Key
from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.epochs.accumulation import Accumulation
from latentvqa.logs.epochs.buckets import Bucket
from latentvqa.logs.epochs.nan_gaps import without_unmeasured
from latentvqa.logs.notes import Notes, listed

STAGES: dict[str, Stage] = {
    "baseline": "baseline",
    "warmup": "warmup",
    "warm-up": "warmup",
    "warm_up": "warmup",
    "full": "full",
}
STAGE_NUMBERS: dict[str, Stage] = {"1": "baseline", "2": "warmup", "3": "full"}
WHOLE = ("active_units", "patience_used")  # counts in the record


@dataclass(frozen=True)
class Candidate:
    """A column that a field may be taken from."""

    index: int
    rank: tuple[int, ...]
    scale: float = 1.0


def epoch_records(
    rows: Accumulation,
    fields: Mapping[Key, Field],
    columns: Columns,
    notes: Notes,
    *,
    has_stage_numbers: bool,
) -> tuple[EpochRecord, ...]:
    """One record per epoch, or per window of steps.

    Args:
        rows: the added-up log.
        fields: what each column that held values stands for.
        columns: the log's columns.
        notes: takes what was averaged, repeated or shifted.
        has_stage_numbers: whether 1, 2, 3 are the stages.
    """
    candidates = _candidates(rows, fields, columns)
    is_stepwise = rows.is_stepwise
    epochs = sorted(rows.buckets)
    repeated = [e for e in epochs if max(rows.buckets[e].counts, default=0) > 1]
    if repeated and rows.is_running and rows.counting == "epochs":
        notes.add("Progress bars hold means of an epoch so far: its last one counts.")
    elif repeated and not is_stepwise:
        names = listed([str(epoch) for epoch in repeated])
        notes.add(f"Epochs logged more than once, the last one counts: {names}.")
    elif repeated and rows.counting != "windows":
        notes.add("The log holds steps: each epoch is the mean of its steps.")
    shift = 0
    if rows.counting == "epochs" and epochs[:1] == [1]:
        shift = 1
        notes.add("The log counts its epochs from 1: here they count from 0.")
    _keep_last_nan(rows)
    _tell_missing(rows, fields, notes)
    values = [_values(rows.buckets[epoch], candidates, is_stepwise) for epoch in epochs]
    values, unmeasured = without_unmeasured(values)
    if unmeasured:
        notes.add(
            f"Validation is NaN in {counted(unmeasured, 'epoch')} whose training is finite: "
            "read as not measured there."
        )
    records = []
    for place, epoch in enumerate(epochs):
        number = place if rows.counting == "windows" else epoch - shift
        stage = _stage(rows.buckets[epoch].stage, has_stage_numbers)
        records.append(_record(number, stage, values[place]))
    return tuple(records)


def values_of(rows: Accumulation, field: Field, fields: Mapping[Key, Field]) -> list[float | None]:
    """The values of a field that no record holds, record by record; None where not logged."""
    at = next((rows.columns_used[key] for key, held in fields.items() if held == field), None)
    values: list[float | None] = []
    for epoch in sorted(rows.buckets):
        bucket = rows.buckets[epoch]
        is_held = at is not None and at < len(bucket.counts) and bucket.counts[at] > 0
        count = bucket.counts[at] if is_held and at is not None else 1
        total = bucket.sums[at] if is_held and at is not None else 0.0
        if is_held and at is not None and not rows.is_stepwise:
            total, count = bucket.lasts[at], 1
        values.append(total / count if is_held else None)
    return values


def half_units(
    rows: Accumulation, fields: Mapping[Key, Field], columns: Columns
) -> dict[Field, float]:
    """By how much the values of each field may be rounded, as its first column is printed."""
    first: dict[Field, str] = {}
    for key, field in sorted(fields.items(), key=lambda pair: columns.rank(pair[0][0])):
        first.setdefault(field, key[0])
    return {
        field: rows.precision.half_unit(column) * columns.scale(column)
        for field, column in first.items()
    }


def _keep_last_nan(rows: Accumulation) -> None:
    """NaN that has stayed to the end is no gap: the last epoch keeps it."""
    if not rows.buckets:
        return
    last = rows.buckets[max(rows.buckets)]
    for at, count in enumerate(last.counts):
        if count and at in last.nans and rows.gaps.has_stayed(at):
            last.counts[at] = 0


def _tell_missing(rows: Accumulation, fields: Mapping[Key, Field], notes: Notes) -> None:
    mixed = {
        at
        for bucket in rows.buckets.values()
        for at in bucket.nans
        if at < len(bucket.counts) and bucket.counts[at]
    }
    names = dict.fromkeys(key[0] for key in fields if rows.columns_used[key] in mixed)
    if names:
        notes.add(f"NaN beside numbers of the same epoch is read as missing: {listed([*names])}.")


def _candidates(
    rows: Accumulation, fields: Mapping[Key, Field], columns: Columns
) -> dict[Field, list[Candidate]]:
    """The columns of each field, the best first."""
    found: dict[Field, list[Candidate]] = {}
    for key, field in fields.items():
        rank = (*columns.rank(key[0]), bool(key[1]))
        candidate = Candidate(rows.columns_used[key], rank, columns.scale(key[0]))
        found.setdefault(field, []).append(candidate)
    return {field: sorted(held, key=lambda c: (c.rank, c.index)) for field, held in found.items()}


def _values(
    bucket: Bucket, candidates: Mapping[Field, Sequence[Candidate]], is_stepwise: bool
) -> dict[Field, float]:
    values: dict[Field, float] = {}
    for field, columns in candidates.items():
        for column in columns:
            at = column.index
            if at < len(bucket.counts) and bucket.counts[at]:
                mean = bucket.sums[at] / bucket.counts[at]
                values[field] = column.scale * (mean if is_stepwise else bucket.lasts[at])
                break
        else:
            if any(column.index in bucket.nans for column in columns):
                values[field] = math.nan
    return values


def _record(number: int, stage: Stage, values: Mapping[Field, float]) -> EpochRecord:
    held: dict[str, dict[str, Any]] = {"train": {}, "val": {}, "run": {}, "other": {}}
    for field, value in values.items():
        if field.attribute not in WHOLE:
            held[field.place][field.attribute] = value
        elif math.isfinite(value):
            held[field.place][field.attribute] = round(value)
    rate = held["run"].pop("learning_rate", None)
    return EpochRecord(
        epoch=number,
        stage=stage,
        learning_rates={} if rate is None else {"all": rate},
        train=SplitMetrics(**held["train"]),
        val=SplitMetrics(**held["val"]),
        **held["run"],
    )


def _stage(name: Any, has_numbers: bool) -> Stage:
    text = str(name).strip().lower().removesuffix(".0")
    if has_numbers and text in STAGE_NUMBERS:
        return STAGE_NUMBERS[text]
    return STAGES.get(text, "unknown")
