"""What the values of another tool's log say about its columns, once all are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.rule import finite
from latentvqa.logs.columns.fields import SPLITS, Field, Key
from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.epochs.accumulation import Accumulation
from latentvqa.logs.epochs.records import half_units, values_of
from latentvqa.logs.loss_points import Rounding
from latentvqa.logs.loss_sums import loss_sum, reconstruction_among, with_loss_sum

MOST_OTHERS = 12  # losses of unknown name that are tried as the reconstruction
CAPACITY = Field("other", "capacity")


@dataclass(frozen=True)
class ForeignLog:
    """Records whose columns are understood as far as their values allow.

    Attributes:
        records: with the KL and the weights that the sums tell.
        kl_resolution: nats by which the KL may be rounded.
        notes: what was found.
    """

    records: tuple[EpochRecord, ...]
    kl_resolution: float
    notes: tuple[str, ...]


def explained(
    records: Sequence[EpochRecord],
    rows: Accumulation,
    fields: Mapping[Key, Field],
    columns: Columns,
) -> ForeignLog:
    """Understand the columns by their values.

    Args:
        records: as read by the names.
        rows: the added-up log.
        fields: what each column stands for, those that only explain others included.
        columns: the log's columns.
    """
    if not records:
        return ForeignLog((), 0.0, ())
    units = half_units(rows, fields, columns)
    notes: list[str] = []
    is_rate_mapped = any(
        columns.is_mapped(key[0]) for key, f in fields.items() if f.attribute == "rate"
    )
    if not is_rate_mapped:
        records, said = _without_impossible_rate(records)
        notes += said
    fields_used = dict.fromkeys(fields.values())
    others = [held for held in fields_used if held.place == "other" and held != CAPACITY]
    if others and not any(_has_rest(record) for record in records):
        values = {held.attribute: values_of(rows, held, fields) for held in others[:MOST_OTHERS]}
        slack = {held.attribute: units[held] for held in others[:MOST_OTHERS]}
        name = reconstruction_among(records, values, slack)
        if name is not None:
            notes.append(f"{name} is the reconstruction: total - {name} is proportional to the KL.")
            units[Field("train", "answer_loss")] = slack[name]
            records = [
                replace(record, train=replace(record.train, answer_loss=value))
                for record, value in zip(records, values[name], strict=True)
            ]
    found = loss_sum(
        records, values_of(rows, CAPACITY, fields), Rounding(units), has_others=bool(others)
    )
    done, scale = with_loss_sum(records, found)
    judged = [Field(split, "kl_raw") for split in SPLITS if Field(split, "kl_raw") in units]
    resolution = units[judged[0]] if judged else 0.0
    return ForeignLog(done, resolution * scale, (*notes, *found.notes))


def _has_rest(record: EpochRecord) -> bool:
    return record.train.answer_loss is not None or record.train.answer_nll is not None


def _without_impossible_rate(
    records: Sequence[EpochRecord],
) -> tuple[Sequence[EpochRecord], list[str]]:
    """A column called rate that never moves, or lies below the KL, is another rate."""
    impossible = []
    for split in SPLITS:
        held = [getattr(record, split) for record in records]
        rates = [rate for one in held if (rate := finite(one.rate)) is not None]
        below = any(
            one.rate < one.kl_raw
            for one in held
            if finite(one.rate) is not None and finite(one.kl_raw) is not None
        )
        if rates and (below or (len(rates) > 1 and len(set(rates)) == 1)):
            impossible.append(split)
    if not impossible:
        return records, []
    for split in impossible:
        records = [
            replace(record, **{split: replace(getattr(record, split), rate=None)})
            for record in records
        ]
    return records, ["A column called rate is no rate of the latent: it is not read."]
