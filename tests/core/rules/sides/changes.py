"""For thresholds that change what a rule says, not whether it speaks: a log on either side."""

from __future__ import annotations

from tests.core.rules.sides.paired_logs import (
    LIMITS,
    NEED,
    Change,
    Pair,
    at_tuning,
    carries,
    falling,
    gained,
    least,
    overfitted,
    stuck,
    trained,
    under,
)
from tests.core.rules.sides.speaking import NO_TARGET
from tests.runs import HEADER, make_run

SMALL_KL = "kl_raw 0.005 is below 0.01, the rule-of-thumb sign of collapse"
AT_ALLOWANCE = {"kl_raw": 0.09, "kl_after": 0.0}
UNLEARNT = {"information_bound": 12.0, "answer_gain": 0.05}

# Code, then threshold: what the rule says changes there, not whether it speaks.
CHANGES: dict[str, dict[str, Change]] = {
    "IN002": {
        "early_epoch": Change(
            Pair(lambda n: carries(0.3, 0.01, n), LIMITS.early_epoch + 1, LIMITS.early_epoch),
            "level",
            ("critical", "info"),
        )
    },
    "IN004": {"tuning_epoch": at_tuning(lambda n: carries(12.0, 0.05, n))},
    "IN005": {"tuning_epoch": at_tuning(lambda n: carries(2.0, 0.05, n))},
    "IN013": {
        "early_epoch": Change(
            Pair(lambda n: gained(1.5, 0.01, n), LIMITS.early_epoch + 1, LIMITS.early_epoch),
            "level",
            ("warning", "info"),
        )
    },
    "IN014": {"tuning_epoch": at_tuning(lambda n: gained(1.5, 1.5, n, image_gain=0.0))},
    "IN007": {
        "tuning_epoch": at_tuning(
            lambda n: (HEADER, make_run(n, train=AT_ALLOWANCE, val=UNLEARNT))
        ),
        "learnt_gain": Change(
            under(
                lambda x: (
                    HEADER,
                    make_run(14, train={"kl_raw": 0.09, "kl_after": 0.0}, val={"answer_gain": x}),
                ),
                LIMITS.learnt_gain * NEED,
            ),
            "level",
            ("warning", "info"),
        ),
    },
    "IN009": {"tuning_epoch": at_tuning(lambda n: carries(12.0, 0.05, n, active_units=20))},
    "TR002": {
        "target_loss": Change(
            least(lambda x: stuck(14, best=x, header=NO_TARGET), LIMITS.target_loss),
            "level",
            ("warning", "info"),
        )
    },
    "TR003": {
        "overfitting_high": Change(
            falling(overfitted, 1.0 / LIMITS.overfitting_high), "level", ("warning", "info")
        ),
        "overfitting_act": Change(
            falling(overfitted, 1.0 / LIMITS.overfitting_act),
            "sentence",
            ("Overfitting (act)", "Overfitting (high)"),
        ),
        "early_epoch": Change(
            Pair(
                lambda n: stuck(n, 2, train=0.1, val=1.0, best=0.5),
                LIMITS.early_epoch + 1,
                LIMITS.early_epoch,
            ),
            "level",
            ("warning", "info"),
        ),
    },
    "KL001": {
        "early_epoch": Change(
            Pair(lambda n: trained(n, kl_raw=0.005), LIMITS.early_epoch, LIMITS.early_epoch + 1),
            "sentence",
            (f"{SMALL_KL}: early enough to wait", f"{SMALL_KL}: the verdict rests"),
        )
    },
    "KL004": {
        "tuning_epoch": at_tuning(
            lambda n: (HEADER, make_run(n, train={"kl_after": 0.0}, val=UNLEARNT))
        )
    },
}
