"""Changes of the configuration that rules may advise, and when each may be advised.

Advice is given only where its precondition holds; two orders of tuning exist
(with and without a teacher), never one list. Nothing in here decides whether a
run is healthy.
"""

from __future__ import annotations

from latentvqa.core.rules.information import are_answers_learnt
from latentvqa.core.rules.rule import Advice, RunView, counts_as_zero, finite, kl_split

FACTOR_KEY = "kl.factor"
FREE_BITS_KEY = "kl.free_bits"
KL_WARMUP_KEY = "kl.warmup_epochs"
TEACHER_KEY = "teacher.weight"
DECODER_RATE_KEY = "optimizer.decoder_rate"
LATENT_RATE_KEY = "optimizer.latent_rate"
TEMPERATURE_KEY = "latent.temperature"
TEMPERATURE_WARMUP_KEY = "latent.temperature_warmup_epochs"

# One step of tuning, as ratios.
FACTOR_STEP = 0.75  # 0.2 -> 0.15
FREE_BITS_STEP = 0.7  # 0.1 -> 0.07
TEACHER_STEP = 2.0 / 3.0  # 0.3 -> 0.2
DECODER_RATE_STEP = 0.6  # 5e-4 -> 3e-4
TEMPERATURE_STEP = 0.5
WARMUP_STEP = 2.0  # a collapse under an active penalty: half the slope
RAMP_EPOCHS = 6  # ramp that left the plateau soonest in the design's measurements


def lower_factor(view: RunView) -> Advice:
    """Less KL pressure."""
    factor = view.header.kl.factor
    return _change(FACTOR_KEY, factor, factor * FACTOR_STEP)


def lower_free_bits(view: RunView) -> Advice | None:
    """A smaller allowance, late, and where no information speaks: it walks into collapse."""
    free_bits = view.header.kl.free_bits
    raw = finite(kl_split(view.record).kl_raw)
    is_collapsing = raw is None or raw < view.kl_limit(view.thresholds.collapse_kl)
    is_known = are_answers_learnt(view) is not None
    if not view.is_late or is_known or is_collapsing or free_bits <= 0.0:
        return None
    return _change(FREE_BITS_KEY, free_bits, free_bits * FREE_BITS_STEP)


def lower_teacher(view: RunView) -> Advice | None:
    """A lighter teacher; None where there is none to lighten."""
    weight = view.header.teacher_weight
    counts = view.record.teacher
    is_idle = counts is not None and counts.violating == 0
    if not weight or view.record.stage != "full" or is_idle:
        return None
    return _change(TEACHER_KEY, weight, weight * TEACHER_STEP)


def lower_decoder_rate(view: RunView) -> Advice | None:
    """A slower decoder; None where training was not fast or the rate is unknown."""
    rate = _highest_rate(view, "decoder")
    if rate is None or not was_fast(view):
        return None
    return _change(DECODER_RATE_KEY, rate, rate * DECODER_RATE_STEP)


def lower_latent_rate(view: RunView) -> Advice | None:
    """A slower bottleneck; None where its rate is unknown."""
    rate = _highest_rate(view, "latent")
    return None if rate is None else _change(LATENT_RATE_KEY, rate, rate * DECODER_RATE_STEP)


def raise_decoder_rate(view: RunView) -> Advice | None:
    """A faster decoder, by the inverse of the slower one's step."""
    rate = _highest_rate(view, "decoder")
    return None if rate is None else _change(DECODER_RATE_KEY, rate, rate / DECODER_RATE_STEP)


def slow_kl_warmup(view: RunView) -> Advice:
    """A slower warm-up; a smaller factor where the log does not hold its length."""
    epochs = view.header.warmup_epochs
    return (
        lower_factor(view) if not epochs else _change(KL_WARMUP_KEY, epochs, epochs * WARMUP_STEP)
    )


def lower_latent_noise(view: RunView) -> Advice | None:
    """Less latent noise while the answer is not learnt: a ramp, or a lower temperature."""
    final = view.header.temperature
    first = finite(view.records[0].train.temperature)
    if final is None or first is None or final <= 0.0:
        return None
    if first < final:
        return _change(TEMPERATURE_KEY, final, final * TEMPERATURE_STEP)
    return _change(TEMPERATURE_WARMUP_KEY, 0, RAMP_EPOCHS)


def against_collapse(view: RunView) -> Advice | None:
    """Less KL pressure where the penalty presses, less noise where it does not."""
    is_active = is_penalty_active(view)
    if is_active is None:
        return None
    if not is_active:
        return lower_latent_noise(view)
    return slow_kl_warmup(view) if view.is_warming_up else lower_factor(view)


def is_penalty_active(view: RunView) -> bool | None:
    """Whether the KL pulls on the posterior at all; None where the log cannot tell."""
    weight = finite(view.record.effective_kl_weight)
    is_zero = counts_as_zero(kl_split(view.record), view.thresholds)
    return None if weight is None or is_zero is None else weight > 0.0 and not is_zero


def tuning_advice(view: RunView) -> Advice | None:
    """The next thing to try for a stuck validation loss, or None.

    In the full stage the teacher comes first, then the KL, then the decoder
    rate; without a teacher the KL leads. The KL is touched only where its share
    of the loss is large.
    """
    if not view.is_late:
        return None
    return lower_teacher(view) or ease_kl(view) or lower_decoder_rate(view)


def ease_kl(view: RunView) -> Advice | None:
    """Less KL pressure where its share is large; never against overfitting, which it holds."""
    val, ratio = finite(view.record.val.answer_loss), finite(view.record.overfitting_ratio)
    limits = view.thresholds
    is_overfitted = (
        val is not None
        and ratio is not None
        and val > limits.overfitting_min_loss
        and ratio >= limits.overfitting_high
    )
    return lower_factor(view) if is_kl_pressing(view) and not is_overfitted else None


def is_kl_pressing(view: RunView) -> bool:
    """Whether the weighted KL is a large share of the loss."""
    share = finite(kl_split(view.record).kl_share)
    return share is not None and share > view.thresholds.pressing_kl_share


def is_validation_stuck(view: RunView) -> bool:
    """Whether validation answer loss has not improved for the plateau's length."""
    best = view.best_val[view.index]
    if best is None:
        return False
    since = view.record.epoch - view.records[best].epoch
    return since >= view.thresholds.plateau_epochs


def was_fast(view: RunView) -> bool:
    """Whether training answer loss was very low within the early epochs."""
    early = (r for r in view.records[: view.index + 1] if r.epoch <= view.thresholds.early_epoch)
    losses = (finite(record.train.answer_loss) for record in early)
    return any(loss is not None and loss < view.thresholds.fast_train_loss for loss in losses)


def _highest_rate(view: RunView, group: str) -> float | None:
    """The peak of a group's rate: what the config holds, before any decay."""
    rates = (finite(r.learning_rates.get(group)) for r in view.records[: view.index + 1])
    return max((rate for rate in rates if rate is not None), default=None)


def _change(key: str, before: float, after: float) -> Advice:
    """The change to a round value: two significant digits, one for a rate below 1e-3."""
    return Advice(key, float(before), float(f"{after:.{1 if after < 1e-3 else 2}g}"))
