"""For every rule and every threshold one log on either side of it, a hair apart.

A pair is one builder and two values, so that its logs cannot differ in anything
else.
"""

from __future__ import annotations

import math
from dataclasses import replace

from latentvqa.core.records import TeacherCounts
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.sides.paired_logs import (
    LEAST,
    LIMITS,
    NEED,
    RAW,
    Pair,
    below,
    beside_blind,
    carries,
    cut,
    falling,
    gained,
    halved,
    least,
    left,
    most,
    over,
    overfitted,
    parts,
    rising,
    stuck,
    taught,
    too_fast,
    trained,
    under,
    unmeasured,
    with_answers,
    with_free_bits,
    with_phase_loss,
    with_raws,
    with_tail,
    with_tokens,
)
from tests.runs import HEADER, KL, make_epoch, make_run

NO_TARGET = replace(HEADER, target=None)
PARTS_HIGH = (1.0 + 0.3 * (1.0 + LIMITS.weight_tolerance)) / (1.0 - LIMITS.loss_tolerance)
PARTS_WEIGHT = 1.0 * LIMITS.loss_tolerance / (0.1 * (1.0 - LIMITS.weight_tolerance))
EXPLODED = [2.0, 3.0, 4.0, 5.0]
STRICT_REDUCTION = KLHealthThresholds(persistent_reduction=0.999, generous_reduction=0.999)
FULL_WEIGHT = KL.max_weight * (1.0 - 1e-6)
PINNED_LOW = LIMITS.pinned_low * KL.free_bits
TAIL = round(1000 * LIMITS.pinned_tail)
AHEAD = 100 / (100 + LIMITS.image_errors**2)  # so far below 1 is past chance, on 100 images
UNITS = math.ceil(LIMITS.partial_units * KL.tokens * KL.dims)

# Code of a rule, then the threshold (or what else decides): the rule speaks or is silent.
SIDES: dict[str, dict[str, Pair]] = {
    "LG001": {"epochs": Pair(lambda n: (HEADER, make_run(n)), 0, 1)},
    "LG002": {
        "loss_tolerance": rising(parts, PARTS_HIGH),
        "weight_tolerance": rising(lambda w: parts(1.0, w), PARTS_WEIGHT),
    },
    "LG003": {"epochs": Pair(lambda n: (HEADER, [make_epoch(e) for e in (0, 1, n)]), 3, 2)},
    "IN001": {"finite": Pair(lambda x: trained(rate=x), math.inf, below(math.inf))},
    "IN002": {
        "collapse_bound": under(lambda x: carries(x, 0.01), LIMITS.collapse_bound * NEED),
        "collapse_gain": under(lambda x: carries(0.3, x), LIMITS.collapse_gain * NEED),
        "active_units": Pair(lambda n: carries(12.0, 0.01, active_units=n), 0, 1),
        # validation is at half the temperature, a quarter of the information
        "collapse_rate": under(unmeasured, LIMITS.collapse_rate * 0.25),
    },
    "IN003": {
        "leak_nats": falling(lambda x: carries(x, 1.6), 1.6 - LIMITS.leak_nats),
        "leak_errors": falling(
            lambda x: carries(x, 1.6, answer_nll_error=0.1), 1.6 - LIMITS.leak_errors * 0.1
        ),
    },
    "IN004": {
        "collapse_gain": under(lambda x: carries(12.0, x), LIMITS.collapse_gain * NEED),
        "collapse_bound": least(lambda x: carries(x, 0.05), LIMITS.collapse_bound * NEED),
        "image_errors": rising(lambda x: beside_blind(x, carries(12.0, 0.05)), AHEAD),
    },
    "IN005": {
        "near_need": under(lambda x: carries(x, 1.6), LIMITS.near_need * NEED),
        "collapse_bound": least(lambda x: carries(x, 0.8), LIMITS.collapse_bound * NEED),
    },
    "IN013": {
        "memorised_gap": least(lambda x: gained(x + 0.01, 0.01), LIMITS.memorised_gap * NEED),
        "collapse_gain": under(lambda x: gained(1.5, x), LIMITS.collapse_gain * NEED),
        "image_errors": rising(lambda x: beside_blind(x, gained(1.5, 0.01)), AHEAD),
    },
    "IN014": {
        "collapse_gain": least(lambda x: gained(x, x, image_gain=0.0), LIMITS.collapse_gain * NEED),
        "image_share": most(lambda x: gained(1.5, 1.5, image_gain=x), LIMITS.image_share * NEED),
        "image_errors": most(
            lambda x: gained(1.5, 1.5, image_gain=x, image_gain_error=0.5),
            LIMITS.image_errors * 0.5,
        ),
    },
    "IN007": {
        "pinned_low": least(lambda x: cut(14, 0.0, x), PINNED_LOW),
        "pinned_high": most(lambda x: cut(14, 0.0, x), LIMITS.pinned_high * KL.free_bits),
        "pinned_tail": Pair(lambda n: with_tail(n, 0.0), TAIL, TAIL - 1),
        "zero_kl_share": under(lambda x: cut(14, x, 0.09), LIMITS.zero_kl_share * 0.09),
        "pinned_epochs": Pair(
            lambda n: cut(n, 0.0, 0.09), LIMITS.pinned_epochs, LIMITS.pinned_epochs - 1
        ),
    },
    "IN008": {"max_weight": under(lambda x: (HEADER, make_run(14, kl_weight=x)), FULL_WEIGHT)},
    "IN009": {
        "partial_tokens": under(lambda x: with_tokens(x, 0.05), LIMITS.partial_tokens * 0.05),
        "collapse_kl": under(lambda x: with_tokens(x, 0.5), LIMITS.collapse_kl),
        "partial_units": Pair(lambda n: carries(12.0, 1.6, active_units=n), UNITS - 1, UNITS),
    },
    "IN010": {
        "zero_kl_share": under(lambda x: cut(14, x), LIMITS.zero_kl_share * RAW),
        "pinned_low": under(lambda x: trained(kl_raw=x, kl_after=0.0), PINNED_LOW),
        "pinned_tail": Pair(lambda n: with_tail(n, 0.0), TAIL - 1, TAIL),
        "pinned_epochs": Pair(
            lambda n: cut(n, 0.0), LIMITS.pinned_epochs, LIMITS.pinned_epochs - 1
        ),
        "price": Pair(
            lambda x: trained(header=replace(HEADER, kl=replace(KL, factor=x))), 0.0, LEAST
        ),
    },
    "IN011": {
        "exploding_kl": over(lambda x: with_raws(x / 2, x / 1.7, x / 1.3, x), LIMITS.exploding_kl),
        "exploding_growth": least(
            lambda x: with_raws(2.0, 2.5, 3.0, x), LIMITS.exploding_growth * 2.0
        ),
        "exploded_growth": least(
            lambda x: with_raws(0.1, 5.0, 4.0, x), LIMITS.exploded_growth * 0.1
        ),
        "consistent_epochs": Pair(
            lambda n: with_raws(*EXPLODED[-n:]),
            LIMITS.consistent_epochs + 1,
            LIMITS.consistent_epochs,
        ),
    },
    "IN012": {
        "healthy_kl_high": least(with_free_bits, LIMITS.healthy_kl_high),
        "healthy_reduction_high": falling(
            lambda x: cut(14, x), left(LIMITS.healthy_reduction_high)
        ),
    },
    "TR001": {
        "learning_min_decrease": over(
            lambda x: with_answers(14, lambda n: x if n else 1.0, lambda n: 1.0),
            1.0 - LIMITS.learning_min_decrease,
        ),
        "early_epoch": Pair(
            lambda n: stuck(n, train=1.0), LIMITS.early_epoch + 1, LIMITS.early_epoch
        ),
        "overfitting_min_loss": over(lambda x: stuck(14, train=x), LIMITS.overfitting_min_loss),
    },
    "TR002": {
        "plateau_epochs": Pair(
            lambda n: stuck(14, n), 13 - LIMITS.plateau_epochs, 14 - LIMITS.plateau_epochs
        ),
        "overfitting_min_loss": over(
            lambda x: stuck(14, val=x, best=0.01), LIMITS.overfitting_min_loss
        ),
        "tuning_epoch": Pair(stuck, LIMITS.tuning_epoch + 1, LIMITS.tuning_epoch),
    },
    "TR003": {
        "overfitting_moderate": most(overfitted, 1.0 / LIMITS.overfitting_moderate),
        "overfitting_min_loss": over(
            lambda x: overfitted(0.01, x, 0.01), LIMITS.overfitting_min_loss
        ),
        "overfitting_min_rise": least(
            lambda x: overfitted(0.1, x), (1.0 + LIMITS.overfitting_min_rise) * 0.5
        ),
    },
    "TR004": {
        "fast_train_loss": under(lambda x: too_fast(early=x), LIMITS.fast_train_loss),
        "early_epoch": Pair(
            lambda n: too_fast(from_epoch=n), LIMITS.early_epoch, LIMITS.early_epoch + 1
        ),
        "overfitting_high": falling(lambda x: too_fast(train=x), 0.5 / LIMITS.overfitting_high),
        "plateau_epochs": Pair(
            lambda n: too_fast(14, n), 13 - LIMITS.plateau_epochs, 14 - LIMITS.plateau_epochs
        ),
        "tuning_epoch": Pair(
            lambda n: too_fast(20, n), LIMITS.tuning_epoch - 1, LIMITS.tuning_epoch
        ),
    },
    "TR005": {
        "fast_train_loss": under(lambda x: stuck(24, 12, train=x), LIMITS.fast_train_loss),
        "plateau_epochs": Pair(
            lambda n: stuck(24, n, train=0.1),
            23 - LIMITS.plateau_epochs,
            24 - LIMITS.plateau_epochs,
        ),
        "overfitting_min_loss": over(
            lambda x: stuck(24, 12, train=0.1, val=x, best=0.01), LIMITS.overfitting_min_loss
        ),
    },
    "TR006": {
        "target_epoch": Pair(stuck, LIMITS.target_epoch + 1, LIMITS.target_epoch),
        "target_loss": least(lambda x: stuck(24, best=x, header=NO_TARGET), LIMITS.target_loss),
        "plateau_epochs": Pair(
            lambda n: stuck(24, n), 23 - LIMITS.plateau_epochs, 24 - LIMITS.plateau_epochs
        ),
    },
    "LG004": {"kl_raw": Pair(lambda x: trained(kl_raw=x, kl_after=0.0), -LEAST, 0.0)},
    "TE001": {"weight": Pair(lambda x: taught(TeacherCounts(5, 5, 1), 0.02, x), 0.0, LEAST)},
    "TE002": {"compared": Pair(lambda n: taught(TeacherCounts(n, 0, 0)), 0, 1)},
    "TE003": {"differing": Pair(lambda n: taught(TeacherCounts(5, n, 0)), 0, 1)},
    "TE004": {"violating": Pair(lambda n: taught(TeacherCounts(5, 5, n)), 0, 1)},
    "TE005": {"loss": Pair(lambda x: taught(TeacherCounts(5, 5, 1), x), 0.0, LEAST)},
    "KL001": {"collapse_kl": under(lambda x: trained(kl_raw=x), LIMITS.collapse_kl)},
    "KL002": {
        "healthy_kl_low": under(
            lambda x: trained(kl_raw=x, kl_after=0.7 * x), LIMITS.healthy_kl_low
        ),
        "healthy_kl_high": over(
            lambda x: trained(kl_raw=x, kl_after=0.7 * x), LIMITS.healthy_kl_high
        ),
        "healthy_reduction_low": rising(lambda x: cut(14, x), left(LIMITS.healthy_reduction_low)),
        "healthy_reduction_high": falling(
            lambda x: cut(14, x), left(LIMITS.healthy_reduction_high)
        ),
    },
    "KL003": {
        "high_kl": over(lambda x: trained(1, kl_raw=x), LIMITS.high_kl),
        "high_kl_late": over(lambda x: trained(kl_raw=x), LIMITS.high_kl_late),
        "high_kl_stuck": over(
            lambda x: (HEADER, make_run(14, train={"kl_raw": x}, val={"answer_loss": 0.9})),
            LIMITS.high_kl_stuck,
        ),
        "consistent_epochs": Pair(
            lambda n: with_raws(*[0.05] * (14 - n), *[0.13] * n),
            LIMITS.consistent_epochs,
            LIMITS.consistent_epochs - 1,
        ),
    },
    "KL004": {
        "generous_reduction": falling(lambda x: cut(14, x), left(LIMITS.generous_reduction)),
        # by default a kl_after that counts as 0 is always a generous reduction
        "zero_kl_share": under(
            lambda x: cut(14, x), LIMITS.zero_kl_share * RAW, limits=STRICT_REDUCTION
        ),
    },
    "KL005": {
        "persistent_kl_low": least(
            lambda x: trained(kl_raw=x, kl_after=0.0), LIMITS.persistent_kl_low
        ),
        "persistent_kl_high": most(
            lambda x: trained(kl_raw=x, kl_after=0.0), LIMITS.persistent_kl_high
        ),
        "zero_kl_share": under(lambda x: cut(14, x, 0.03), LIMITS.zero_kl_share * 0.03),
        # by default a kl_after that counts as 0 is always a reduction above the limit
        "persistent_reduction": falling(
            lambda x: cut(14, x, 0.03),
            left(STRICT_REDUCTION.persistent_reduction, 0.03),
            limits=STRICT_REDUCTION,
        ),
        "persistent_epochs": Pair(
            lambda n: cut(n, 0.0, 0.03), LIMITS.persistent_epochs, LIMITS.persistent_epochs - 1
        ),
    },
    "KL006": {
        "low_kl_late": under(lambda x: trained(kl_raw=x), LIMITS.low_kl_late),
        "tuning_epoch": Pair(
            lambda n: trained(n, kl_raw=0.04), LIMITS.tuning_epoch + 1, LIMITS.tuning_epoch
        ),
    },
    "KL007": {
        "early_kl_low": under(lambda x: halved(x, 5), LIMITS.early_kl_low),
        "early_kl_high": over(lambda x: halved(x, 5), LIMITS.early_kl_high),
        "early_reduction_low": rising(lambda x: cut(5, x), left(LIMITS.early_reduction_low)),
        "early_reduction_high": falling(lambda x: cut(5, x), left(LIMITS.early_reduction_high)),
        "early_start": Pair(lambda n: halved(0.06, n), LIMITS.early_start + 1, LIMITS.early_start),
        "early_epoch": Pair(
            lambda n: halved(0.06, n), LIMITS.early_epoch + 1, LIMITS.early_epoch + 2
        ),
    },
    "KL008": {
        "late_kl_low": under(lambda x: halved(x, 14), LIMITS.late_kl_low),
        "late_kl_high": over(lambda x: halved(x, 14), LIMITS.late_kl_high),
        "late_reduction_low": rising(lambda x: cut(14, x), left(LIMITS.late_reduction_low)),
        "late_reduction_high": falling(lambda x: cut(14, x), left(LIMITS.late_reduction_high)),
        "tuning_epoch": Pair(
            lambda n: halved(0.09, n), LIMITS.tuning_epoch + 1, LIMITS.tuning_epoch
        ),
        "late_end": Pair(
            lambda n: (HEADER, make_run(n, stage="warmup", train={"kl_raw": 0.09})),
            LIMITS.late_end + 1,
            LIMITS.late_end + 2,
        ),
        "overfitting_moderate": under(
            lambda x: with_phase_loss(14, x), 1.0 / LIMITS.overfitting_moderate
        ),
        "overfitting_min_loss": over(
            lambda x: with_phase_loss(14, 0.01, x), LIMITS.overfitting_min_loss
        ),
    },
    "KL009": {
        "full_kl_low": under(lambda x: halved(x, 16), LIMITS.full_kl_low),
        "full_kl_high": over(lambda x: halved(x, 16), LIMITS.full_kl_high),
        "overfitting_high": falling(
            lambda x: with_phase_loss(16, x), 1.0 / LIMITS.overfitting_high
        ),
        "overfitting_min_loss": over(
            lambda x: with_phase_loss(16, 0.01, x), LIMITS.overfitting_min_loss
        ),
    },
    "KL010": {"pressing_kl_share": over(lambda x: trained(kl_share=x), LIMITS.pressing_kl_share)},
}
