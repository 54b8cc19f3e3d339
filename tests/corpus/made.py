"""Logs by hand: what training does rarely or only by accident.

Every builder returns a header and records that are healthy but for one thing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from latentvqa.core.records import EpochRecord, RunHeader, TeacherCounts
from tests.runs import HEADER, KL, make_run

Log = tuple[RunHeader, list[EpochRecord]]
NEED = 1.7


def carried(bound: float, gain: float, **more) -> dict:
    return {"information_bound": bound, "answer_gain": gain, "answer_entropy": NEED, **more}


def losses(train: Callable[[int], float], val: Callable[[int], float]) -> Callable[[int], dict]:
    """Answer losses by epoch; the total is what the parts make."""

    def vary(n: int) -> dict:
        return {
            "train": {"answer_loss": train(n), "total_loss": train(n) + 0.105},
            "val": {"answer_loss": val(n), "total_loss": val(n) + 0.105},
        }

    return vary


def run(epochs: int, header: RunHeader = HEADER, vary=None, **changes) -> Log:
    """A healthy run whose total loss is the sum of its parts."""
    records = make_run(epochs, vary, **changes)
    whole = []
    for record in records:
        train = record.train
        if vary is None and train.answer_loss is not None:
            term = (record.effective_kl_weight or 0.0) * (train.kl_after or 0.0)
            train = replace(train, total_loss=train.answer_loss + term)
        whole.append(replace(record, train=train))
    return header, whole


def pinned(n: int) -> dict:
    loss = 1.0 / (n + 1)
    kl = {"kl_raw": 0.09, "kl_after": 0.0, "kl_share": 0.0}
    return {
        "train": {"answer_loss": loss, "total_loss": loss, **kl},
        "val": {"answer_loss": 1.1 * loss, "total_loss": 1.1 * loss, **kl},
    }


def collapsed_then_well(n: int) -> dict:
    return {"val": carried(0.1, 0.01, active_units=0)} if n in (5, 6, 7) else {}


def tokens_of(*values: float) -> dict:
    return {"kl_tokens": values, "kl_raw": sum(values) / len(values)}


def growing(n: int) -> dict:
    return {"train": {"kl_raw": 0.05 * 1.8**n, "kl_after": 0.05 * 1.8**n - 0.05}}


def wrong_weight(n: int) -> dict:
    loss = 1.0 / (n + 1)
    return {"train": {"answer_loss": loss, "total_loss": loss + 15.0 * 0.035}}


def teacher(loss: float, counts: TeacherCounts) -> Log:
    def vary(n: int) -> dict:
        if n < 15:
            return {}
        return {"train": {"teacher_loss": loss}, "teacher": counts}

    return HEADER, make_run(20, vary)


def build_all() -> dict[str, Log]:
    free = replace(HEADER, kl=replace(KL, free_bits=0.02))
    return {
        "made-healthy-by-the-notes": run(14, free),
        "made-pinned": run(14, vary=pinned),
        "made-collapsed": run(14, val=carried(0.3, 0.02)),
        "made-no-active-unit": run(14, val=carried(0.3, 0.02, active_units=0)),
        "made-low-kl-that-works": run(
            14, free, train={"kl_raw": 0.008, "kl_after": 0.0}, val=carried(6.0, 1.6)
        ),
        "made-leak": run(14, val=carried(0.6, 1.6)),
        "made-ignored": run(14, val=carried(12.0, 0.05)),
        "made-partial-tokens": run(
            14,
            free,
            train=tokens_of(0.09, 0.09, 0.09, 0.0004, 0.0004, 0.0004),
            val=carried(3.0, 0.5),
        ),
        "made-partial-units": run(14, val=carried(12.0, 1.6, active_units=20)),
        "made-exploding": run(14, vary=growing),
        "made-diverged": run(14, vary=lambda n: {"train": {"kl_raw": math.nan}} if n == 13 else {}),
        "made-near-need": run(14, val=carried(2.0, 1.6)),
        "made-teacher-idle": teacher(0.0, TeacherCounts(0, 0, 0)),
        "made-teacher-without-gradient": teacher(0.0, TeacherCounts(100, 50, 20)),
        "made-overfitting": run(
            14, vary=losses(lambda n: 0.8 * 0.7**n, lambda n: 0.5 + 0.05 * abs(n - 4))
        ),
        "made-tiny-loss-with-a-large-ratio": run(
            14, vary=losses(lambda n: 0.5 / 4**n + 1e-4, lambda n: 0.5 / 3**n + 1e-3 * (1 + n / 10))
        ),
        "made-answers-not-learnt": run(14, vary=losses(lambda n: 1.70, lambda n: 1.72)),
        "made-plateau": run(
            14,
            vary=lambda n: {
                "train": {"answer_loss": 1.0 - 0.02 * n, "total_loss": 1.105 - 0.02 * n},
                "val": {"answer_loss": 1.2 - 0.05 * min(n, 3), **carried(12.0, 0.6)},
            },
        ),
        "made-decoder-too-fast": run(
            14, vary=losses(lambda n: 0.6 * 0.5**n + 0.02, lambda n: 0.4 + 0.02 * abs(n - 3))
        ),
        "made-three-forces": run(
            24, vary=losses(lambda n: 0.5 * 0.8**n, lambda n: 0.9 if n != 12 else 0.85)
        ),
        "made-target-missed": run(
            24, vary=losses(lambda n: 1.2 - 0.01 * n, lambda n: 1.3 if n != 12 else 1.25)
        ),
        "made-kl-presses": run(14, train={"kl_share": 0.45}),
        "made-contradictory-targets": run(14, vary=pinned),
        "made-printed-weight-is-not-in-the-loss": run(14, free, vary=wrong_weight),
        "made-epochs-missing": (free, [r for r in run(14, free)[1] if r.epoch not in (4, 5)]),
        "made-recovered": run(14, free, vary=collapsed_then_well),
        "made-empty": (HEADER, []),
        "made-not-warmed-up": run(
            8, free, kl_weight=5.0, effective_kl_weight=1.0, train={"kl_share": 0.1}
        ),
    }
