"""How the KL weight moves besides the straight line: constant, in cycles, controlled.

Every function gives a share of the full weight between 0 and 1. Positions are
epochs since the first one with a latent, and may be fractions. Nothing in here
knows a model or a loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from latentvqa.core.schedules.epochs import warmup_fraction_at


def constant_fraction_at(epoch_position: float, start_epoch: float = 0.0) -> float:
    """Share of the full KL weight: 0 before the start, 1 from it on.

    Args:
        epoch_position: epochs since the first one with a latent.
        start_epoch: position from which the KL is priced.

    Raises:
        ValueError: if an argument is negative or not finite.
    """
    return warmup_fraction_at(epoch_position, start_epoch, 0.0)


def cyclical_fraction_at(
    epoch_position: float,
    start_epoch: float = 0.0,
    length_epochs: float = 0.0,
    *,
    cycles: int = 4,
    rising_share: float = 0.5,
) -> float:
    """Share of the full KL weight: equal cycles, each a rise from 0 and a plateau at 1.

    Fu et al. 2019 (arXiv:1903.10145), equations 6 and 7, with their M as
    ``cycles`` and their R as ``rising_share``.

    Args:
        epoch_position: epochs since the first one with a latent.
        start_epoch: position at which the first cycle begins.
        length_epochs: epochs of all cycles together; the share stays at 1
            afterwards, and with 0 from the start on.
        cycles: number of cycles, at least 1.
        rising_share: share of a cycle in which the weight rises, in (0, 1].

    Raises:
        ValueError: if an argument is out of range or not finite.
    """
    if cycles < 1:
        raise ValueError(f"cycles must be 1 or more, got {cycles}")
    if not 0.0 < rising_share <= 1.0:
        raise ValueError(f"rising_share must lie above 0 and up to 1, got {rising_share}")
    done = warmup_fraction_at(epoch_position, start_epoch, length_epochs)
    if done in (0.0, 1.0):
        return done
    return min(done * cycles % 1.0 / rising_share, 1.0)


@dataclass(frozen=True)
class Controller:
    """What holds the KL at a set point.

    Attributes:
        set_point: ``kl_raw`` to hold, in nats of ``kl_token``.
        proportional_gain: most that the proportional term adds to the share of
            the full weight.
        integral_gain: share of the full weight that a step adds where the KL is
            twice the set point, and takes away where it is 0.

    Raises:
        ValueError: if the set point is not above 0 or a gain is negative.
    """

    set_point: float
    proportional_gain: float = 0.01
    integral_gain: float = 0.003

    def __post_init__(self) -> None:
        if not (math.isfinite(self.set_point) and self.set_point > 0.0):
            raise ValueError(f"set_point must be finite and above 0, got {self.set_point}")
        for name in ("proportional_gain", "integral_gain"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ValueError(f"{name} must be finite and 0 or more, got {value}")


@dataclass(frozen=True)
class ControllerState:
    """What a controller remembers between two steps.

    Attributes:
        integral: its integral term, a share of the full weight.
        fraction: its output, the share of the full weight for the next step.
    """

    integral: float = 0.0
    fraction: float = 0.0


def controlled(controller: Controller, state: ControllerState, kl_raw: float) -> ControllerState:
    """Hear of a step's KL and set the weight of the next one.

    The non-linear PI controller of ControlVAE (Shao et al. 2020,
    arXiv:2004.05988, algorithm 1): ``K_p / (1 + exp(e))`` plus an integral that
    grows by ``-K_i e``. Two things differ. The error ``e = 1 - kl_raw /
    set_point`` is relative, because nats of ``kl_token`` are small fractions
    under one reduction and hundreds under the other. And against windup the
    integral stops exactly where the output reaches 0 or 1, so that the weight
    turns around at the first step with an error of the other sign.

    Args:
        controller: set point and gains.
        state: of the step before.
        kl_raw: mean ``kl_token`` of the step's batch, in nats.

    Returns:
        The next state; a KL above the set point raises its fraction.

    Raises:
        ValueError: if ``kl_raw`` is negative or not finite.
    """
    if not (math.isfinite(kl_raw) and kl_raw >= 0.0):
        raise ValueError(f"kl_raw must be finite and 0 or more, got {kl_raw}")
    error = 1.0 - kl_raw / controller.set_point
    proportional = controller.proportional_gain / (1.0 + math.exp(error))
    moved = state.integral - controller.integral_gain * error
    fraction = min(max(proportional + moved, 0.0), 1.0)
    return ControllerState(integral=fraction - proportional, fraction=fraction)
