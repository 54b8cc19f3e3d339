"""Changes of the configuration that rules may advise, and when each may be advised.

Each goes back to a value at which models were seen to learn, and only to such a
value: a run that is there already gets no advice, whatever its fault. Every one was
applied to models with a fault planted in them and cured it
(``tests/benchmarks/RESULTS.md`` in the source); what did not is not advised.
Nothing in here decides whether a run is healthy.
"""

from __future__ import annotations

from latentvqa.core.kl_precision import counts_as_zero
from latentvqa.core.rules.rule import Advice, RunView, finite, kl_split

FACTOR_KEY = "kl.factor"
LATENT_RATE_KEY = "optimizer.latent_rate"

# Values at which models learn; the rate is that of the shipped recipe.
PRICE = 0.01  # nats of loss that a nat of rate costs at the full weight
LATENT_RATE = 5e-4


def lower_factor(view: RunView) -> Advice | None:
    """A nat of rate for a hundredth of a nat of loss; None where it is no dearer, or unknown."""
    kl = view.header.kl
    if set(kl.unknown) & {"reduction", "tokens", "dims", "factor", "max_weight"}:
        return None
    units = kl.tokens * (kl.dims if kl.reduction == "mean" else 1)
    cheap = float(f"{PRICE * units / kl.max_weight:.2g}") if kl.max_weight else kl.factor
    return Advice(FACTOR_KEY, kl.factor, cheap) if cheap < kl.factor else None


def lower_latent_rate(view: RunView) -> Advice | None:
    """A slower bottleneck; None where it is not fast, or its rate is unknown."""
    rate = _highest_rate(view, "latent")
    if rate is None or rate <= LATENT_RATE:
        return None
    return Advice(LATENT_RATE_KEY, rate, LATENT_RATE)


def is_penalty_active(view: RunView) -> bool | None:
    """Whether the KL pulls on the posterior at all; None where the log cannot tell."""
    weight = finite(view.record.effective_kl_weight)
    is_zero = counts_as_zero(kl_split(view.record), view.thresholds)
    return None if weight is None or is_zero is None else weight > 0.0 and not is_zero


def is_validation_stuck(view: RunView) -> bool:
    """Whether validation answer loss has not improved for the plateau's length."""
    best = view.best_val[view.index]
    if best is None:
        return False
    since = view.record.epoch - view.records[best].epoch
    return since >= view.thresholds.plateau_epochs


def _highest_rate(view: RunView, group: str) -> float | None:
    """The peak of a group's rate: what the config holds, before any decay."""
    rates = (finite(r.learning_rates.get(group)) for r in view.records[: view.index + 1])
    return max((rate for rate in rates if rate is not None), default=None)
