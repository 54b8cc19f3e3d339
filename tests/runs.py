"""Small made-up runs: healthy unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from latentvqa.core.records import (
    EpochRecord,
    KLConvention,
    RunHeader,
    SplitMetrics,
    StagePlan,
    TeacherCounts,
)

KL = KLConvention(tokens=6, dims=64, free_bits=0.1, factor=0.2, max_weight=15.0)
HEADER = RunHeader(
    kl=KL,
    stages=StagePlan(0, 15, 35),
    temperature=0.6,
    validation_temperature=0.5,
    warmup_epochs=15,
    teacher_weight=0.3,
    target=0.8,
    name="demo",
    versions={"latentvqa": "0.1.0"},
    seed=0,
)


def make_epoch(
    epoch: int,
    *,
    train: Mapping[str, Any] | None = None,
    val: Mapping[str, Any] | None = None,
    **changes: Any,
) -> EpochRecord:
    """One healthy epoch with some values replaced."""
    loss = 1.0 / (epoch + 1)
    record = EpochRecord(
        epoch=epoch,
        stage="warmup" if epoch < 15 else "full",
        train=SplitMetrics(
            rows=1000,
            temperature=0.6,
            total_loss=loss + 0.1,
            answer_loss=loss,
            exact_match=0.9,
            kl_raw=0.05,
            kl_after=0.035,
            rate=19.2,
            kl_share=0.2,
            teacher_loss=0.02 if epoch >= 15 else None,
        ),
        val=SplitMetrics(
            rows=200,
            temperature=0.5,
            total_loss=1.1 * loss + 0.1,
            answer_loss=1.1 * loss,
            answer_nll=0.1,
            exact_match=0.875,
            kl_raw=0.05,
            kl_after=0.035,
            rate=19.2,
            information_bound=12.0,
            answer_entropy=1.7,
            answer_gain=1.6,
            image_gain=1.0,
            answer_nll_error=0.01,
            active_units=384,
        ),
        kl_weight=15.0,
        effective_kl_weight=3.0,
        learning_rates={"decoder": 5e-4},
        teacher=TeacherCounts(100, 50, 20) if epoch >= 15 else None,
        seconds={"train": 41.0, "val": 4.0},
    )
    record = replace(
        record,
        train=replace(record.train, **(train or {})),
        val=replace(record.val, **(val or {})),
    )
    return replace(record, **changes)


def make_run(
    epochs: int, vary: Callable[[int], Mapping[str, Any]] | None = None, **changes: Any
) -> list[EpochRecord]:
    """Epochs 0 to ``epochs - 1``; ``vary`` gives further changes by epoch."""
    return [make_epoch(n, **{**changes, **(vary(n) if vary else {})}) for n in range(epochs)]
