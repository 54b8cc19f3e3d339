"""Schedules as pure functions of a position: no state, nonsense rejected at once.

Positions are 0-based and may be fractions of an epoch. Nothing in here knows an
optimizer or a model.
"""

from __future__ import annotations

import math

from latentvqa.core.records import Reduction, Stage


def stage_at(epoch: int, *, baseline: int, warmup: int, full: int) -> Stage:
    """Name the stage of an epoch.

    Args:
        epoch: 0-based number over the whole run.
        baseline: epochs of the baseline stage.
        warmup: epochs of the warm-up stage.
        full: epochs of the full stage.

    Returns:
        The stage that holds the epoch.

    Raises:
        ValueError: if a length is negative or the epoch lies outside the plan.
    """
    if min(baseline, warmup, full) < 0:
        raise ValueError(f"stage lengths must be 0 or more, got {baseline}, {warmup}, {full}")
    total = baseline + warmup + full
    if not 0 <= epoch < total:
        raise ValueError(f"epoch {epoch} lies outside the {total} planned epochs")
    if epoch < baseline:
        return "baseline"
    return "warmup" if epoch < baseline + warmup else "full"


def warmup_fraction_at(
    epoch_position: float, start_epoch: float = 0.0, warmup_epochs: float = 0.0
) -> float:
    """Share of the full KL weight: a straight line from 0 to 1.

    Args:
        epoch_position: epochs since the first warm-up-stage epoch; a fraction
            where the schedule moves by step.
        start_epoch: position at which the weight begins to rise.
        warmup_epochs: epochs from 0 to the full weight; 0 means at once.

    Returns:
        ``clip((epoch_position - start_epoch) / warmup_epochs, 0, 1)``, and with
        0 epochs 0 before the start and 1 from it on.

    Raises:
        ValueError: if an argument is negative or not finite.
    """
    _require_finite(epoch_position=epoch_position)
    _require_at_least_zero(start_epoch=start_epoch, warmup_epochs=warmup_epochs)
    elapsed = epoch_position - start_epoch
    if warmup_epochs == 0.0:
        return 1.0 if elapsed >= 0.0 else 0.0
    return min(max(elapsed / warmup_epochs, 0.0), 1.0)


def temperature_at(epoch_position: float, temperature: float, warmup_epochs: float = 0.0) -> float:
    """Latent temperature, ramped from 0 so that the answer is learnt before the noise.

    Args:
        epoch_position: epochs since the first epoch with a latent.
        temperature: value after the ramp.
        warmup_epochs: length of the ramp in epochs; 0 means none.

    Returns:
        The temperature at that position.

    Raises:
        ValueError: if an argument is negative or not finite.
    """
    _require_at_least_zero(temperature=temperature)
    return temperature * warmup_fraction_at(epoch_position, 0.0, warmup_epochs)


def learning_rate_factor_at(
    step: int, total_steps: int, warmup_steps: int, final_factor: float = 0.0
) -> float:
    """Factor on a learning rate: linear warm-up, then a cosine to the final factor.

    Args:
        step: 0-based optimizer step; ``total_steps`` itself is allowed, because
            schedulers ask once more after the last step.
        total_steps: planned steps of the run.
        warmup_steps: steps of the linear rise; the first has factor
            ``1 / warmup_steps``.
        final_factor: factor at ``total_steps``.

    Returns:
        A factor between 0 and 1.

    Raises:
        ValueError: if a count is out of range.
    """
    if total_steps < 1:
        raise ValueError(f"total_steps must be 1 or more, got {total_steps}")
    if not 0 <= warmup_steps <= total_steps:
        raise ValueError(f"warmup_steps must lie in 0..{total_steps}, got {warmup_steps}")
    if not 0 <= step <= total_steps:
        raise ValueError(f"step must lie in 0..{total_steps}, got {step}")
    if not 0.0 <= final_factor <= 1.0:
        raise ValueError(f"final_factor must lie in 0..1, got {final_factor}")
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if total_steps == warmup_steps:
        return 1.0
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return final_factor + (1.0 - final_factor) * 0.5 * (1.0 + math.cos(math.pi * progress))


def beta_at(
    effective_weight: float,
    mean_answer_tokens: float,
    tokens: int,
    dims: int,
    reduction: Reduction,
) -> float:
    """Price per nat of rate when the loss is written per answer.

    The number to compare with the literature, where the KL is summed over all
    dimensions and the likelihood over all tokens (Higgins et al. 2017).

    Args:
        effective_weight: what multiplies ``kl_after`` in the loss.
        mean_answer_tokens: tokens per answer, end token included.
        tokens: latent tokens K.
        dims: dimensions per latent token Z.
        reduction: how ``kl_dim`` was reduced over the dimensions.

    Returns:
        ``weight x tokens per answer / (K Z)`` under mean, ``/ K`` under sum.

    Raises:
        ValueError: if an argument is out of range or the reduction unknown.
    """
    _require_at_least_zero(effective_weight=effective_weight, mean_answer_tokens=mean_answer_tokens)
    if tokens < 1 or dims < 1:
        raise ValueError(f"tokens and dims must be 1 or more, got {tokens} and {dims}")
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
    divisor = tokens * dims if reduction == "mean" else tokens
    return effective_weight * mean_answer_tokens / divisor


def _require_finite(**values: float) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value}")


def _require_at_least_zero(**values: float) -> None:
    _require_finite(**values)
    for name, value in values.items():
        if value < 0.0:
            raise ValueError(f"{name} must be 0 or more, got {value}")
