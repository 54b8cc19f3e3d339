"""How many free bits a data set needs: a number set once, before training."""

from __future__ import annotations

import math

from latentvqa.core.records import Reduction


def automatic_free_bits(
    answer_entropy: float, per_need: float, tokens: int, dims: int, reduction: Reduction
) -> float:
    """Free bits that let the rate be a multiple of what the answers need.

    A latent at its free bits everywhere has the rate ``per_need x H(A)``. No
    value of a running training enters, so there is no feedback loop.

    Args:
        answer_entropy: H(A) of the encoded training answers, in nats.
        per_need: nats of rate allowed per nat of H(A).
        tokens: latent tokens K.
        dims: dimensions per latent token Z.
        reduction: how ``kl_dim`` is reduced over the dimensions.

    Returns:
        Nats of ``kl_token`` per latent token and example: ``per_need x H(A) /
        (K Z)`` under mean, ``/ K`` under sum.

    Raises:
        ValueError: if an argument is out of range or the reduction unknown.
    """
    for name, value in (("answer_entropy", answer_entropy), ("per_need", per_need)):
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name} must be finite and 0 or more, got {value}")
    if tokens < 1 or dims < 1:
        raise ValueError(f"tokens and dims must be 1 or more, got {tokens} and {dims}")
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
    return per_need * answer_entropy / (tokens * dims if reduction == "mean" else tokens)
