"""The same for thresholds that hold for logs which do not say how their KL was made."""

from __future__ import annotations

from tests.core.rules.sides.paired_logs import LIMITS, foreign_raws, least, most, with_raws

FOREIGN_SIDES = {
    "IN011": {
        "unpaid_growth": least(lambda x: foreign_raws(2.0, 1.0, 1.0, x), LIMITS.unpaid_growth),
        "absurd_kl": least(lambda x: with_raws(1.0, x), LIMITS.absurd_kl),
        "absurd_growth": least(lambda x: with_raws(1e3, x), LIMITS.absurd_growth * 1e3),
    },
    "IN015": {
        "vanishing_kl": most(lambda x: foreign_raws(1.0, x), LIMITS.vanishing_kl),
        "vanishing_fall": least(lambda x: foreign_raws(x, 1e-4), LIMITS.vanishing_fall * 1e-4),
    },
}
