"""Where a run stands, what its epoch has added up, and when it has gone on long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from latentvqa.config import EarlyStopping
from latentvqa.core.records import KLConvention, SplitMetrics, Stage, TeacherCounts
from latentvqa.core.schedules.kl_weight import ControllerState
from latentvqa.engine.metrics.accumulator import MetricAccumulator
from latentvqa.engine.training.batch_loss import BatchResult

# names on disk: tensors by these prefixes, values beside those of the progress
_METRICS, _SUMS = "measures.", "sums."
_EPOCH_VALUES = ("train_seconds", "weight_sum", "differing", "compared")


@dataclass
class Progress:
    """Where a run stands; all of it travels in checkpoints, as :class:`EpochSums` do.

    Attributes:
        epoch: epoch in work, 0-based.
        batch: batches of that epoch that are done.
        step: optimizer steps of the run.
        best_value: best watched validation value, in nats; a share for exact match.
        best_epoch: its epoch.
        patience_used: full-stage epochs since the best.
        reached_target_epoch: first epoch below the target.
        is_stopped: early stopping has ended the run.
        weight: effective KL weight of the last step.
        controller: state of the controller of the KL weight.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_value: float | None = None
    best_epoch: int | None = None
    patience_used: int = 0
    reached_target_epoch: int | None = None
    is_stopped: bool = False
    weight: float = 0.0
    controller: ControllerState = field(default_factory=ControllerState)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Progress:
        """Read what :meth:`to_json` gave, or an earlier version's."""
        controller = ControllerState(**values.get("controller", {}))
        own = {name: value for name, value in values.items() if name not in _EPOCH_VALUES}
        return cls(**{**own, "controller": controller})

    def judge(
        self, val: SplitMetrics, stage: Stage, stopping: EarlyStopping, patience: int
    ) -> None:
        """Take note of an epoch's validation: best, target, end.

        Args:
            val: its measures.
            stage: of the epoch.
            stopping: what is watched.
            patience: full-stage epochs without a better value that end the run.
        """
        value = getattr(val, stopping.metric)
        better = -1.0 if stopping.metric == "exact_match" else 1.0  # more of it, not less
        is_best = self.best_value is None or (
            better * value < better * self.best_value - stopping.min_delta
        )
        if is_best:
            self.best_value, self.best_epoch = value, self.epoch
            self.patience_used = 0
        elif stage == "full":
            self.patience_used += 1
        losses = (val.answer_loss, val.total_loss)
        is_reached = all(loss is not None and loss < stopping.target for loss in losses)
        if is_reached and self.reached_target_epoch is None:
            self.reached_target_epoch = self.epoch
        self.is_stopped = self.patience_used >= patience

    def advance(self) -> None:
        """Go to the next epoch."""
        self.epoch += 1
        self.batch = 0


class EpochSums:
    """What the steps of one epoch have added up, read once at its end.

    Args:
        kl: how the KL is reduced and hinged.
        device: where the tensors are kept.

    Attributes:
        metrics: losses and latent measures.
        gradient_norm: norms before clipping, added up; a scalar.
        violating: pairs inside the teacher's margin; a scalar.
        train_seconds: time spent on the batches.
        weight_sum: effective KL weight of the steps, added up.
        differing: questions whose candidates differ in score.
        compared: questions whose candidates it scored.
    """

    def __init__(self, kl: KLConvention, device: torch.device) -> None:
        self._device = device
        self.metrics = MetricAccumulator(kl, device)
        self.gradient_norm, self.violating = (torch.zeros((), device=device) for _ in range(2))
        self.train_seconds = self.weight_sum = 0.0
        self.differing = self.compared = 0

    def add(self, loss: BatchResult, weight: float) -> None:
        """Add a batch, or a part of one.

        Args:
            loss: of it.
            weight: what multiplied ``kl_after``.
        """
        self.metrics.add_answers(loss.answer_nll, loss.answer_tokens, loss.is_right)
        if loss.posterior is not None:
            self.metrics.add_posterior(loss.posterior, weight)
        self.metrics.add_regularisers(
            loss.terms.get("orthogonality"), loss.terms.get("teacher"), len(loss.answer_nll)
        )
        if loss.preference is not None:
            self.compared += loss.preference.compared
            self.differing += loss.preference.differing
            self.violating += loss.preference.violating

    def add_step(self, weight: float, gradient_norm: Tensor) -> None:
        """Add an optimizer step.

        Args:
            weight: what multiplied ``kl_after``.
            gradient_norm: before clipping; a scalar.
        """
        self.gradient_norm += gradient_norm.detach()
        self.weight_sum += weight

    def teacher_counts(self) -> TeacherCounts:
        """What the teacher found in the epoch."""
        violating = int(self.violating.item())
        return TeacherCounts(compared=self.compared, differing=self.differing, violating=violating)

    def state(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Tensors and plain values, by name, for a checkpoint."""
        metrics = {f"{_METRICS}{name}": value for name, value in self.metrics.state().items()}
        sums = {"gradient_norm": self.gradient_norm, "violating": self.violating}
        tensors = {**metrics, **{f"{_SUMS}{name}": value for name, value in sums.items()}}
        return tensors, {name: getattr(self, name) for name in _EPOCH_VALUES}

    def load_state(self, tensors: Mapping[str, Tensor], values: Mapping[str, float]) -> None:
        """Continue from what :meth:`state` gave; what others saved beside it is left alone.

        Args:
            tensors: of a checkpoint; sums that are absent begin at 0.
            values: plain values of the same checkpoint, likewise.
        """
        metrics = {
            name.removeprefix(_METRICS): value
            for name, value in tensors.items()
            if name.startswith(_METRICS)
        }
        self.metrics.load_state(metrics)
        zero = torch.zeros(())
        self.gradient_norm = tensors.get(f"{_SUMS}gradient_norm", zero).to(self._device).clone()
        self.violating = tensors.get(f"{_SUMS}violating", zero).to(self._device).clone()
        for name in _EPOCH_VALUES:
            setattr(self, name, values.get(name, 0))
