"""Where a run stands, and when it has gone on long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from latentvqa.config import EarlyStopping
from latentvqa.core.records import SplitMetrics, Stage
from latentvqa.core.schedules.kl_weight import ControllerState


@dataclass
class Progress:
    """Where a run stands; all of it travels in checkpoints.

    Attributes:
        epoch: epoch in work, 0-based.
        batch: batches of that epoch that are done.
        step: optimizer steps of the run.
        best_value: best watched validation value, in nats.
        best_epoch: its epoch.
        patience_used: full-stage epochs since the best.
        reached_target_epoch: first epoch below the target.
        is_stopped: early stopping has ended the run.
        train_seconds: time spent on the epoch's batches.
        weight: effective KL weight of the last step.
        weight_sum: the same of the epoch's steps, added up.
        controller: state of the controller of the KL weight.
        differing: pairs of the epoch that the teacher told apart.
        compared: questions of the epoch that it looked at.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_value: float | None = None
    best_epoch: int | None = None
    patience_used: int = 0
    reached_target_epoch: int | None = None
    is_stopped: bool = False
    train_seconds: float = 0.0
    weight: float = 0.0
    weight_sum: float = 0.0
    controller: ControllerState = field(default_factory=ControllerState)
    differing: int = 0
    compared: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Progress:
        """Read what :meth:`to_json` gave, or an earlier version's."""
        controller = ControllerState(**values.get("controller", {}))
        return cls(**{**values, "controller": controller})

    def judge(self, val: SplitMetrics, stage: Stage, stopping: EarlyStopping) -> None:
        """Take note of an epoch's validation: best, patience, target, end."""
        value = getattr(val, stopping.metric)
        if self.best_value is None or value < self.best_value - stopping.min_delta:
            self.best_value, self.best_epoch = value, self.epoch
            self.patience_used = 0
        elif stage == "full":
            self.patience_used += 1
        losses = (val.answer_loss, val.total_loss)
        is_reached = all(loss is not None and loss < stopping.target for loss in losses)
        if is_reached and self.reached_target_epoch is None:
            self.reached_target_epoch = self.epoch
        self.is_stopped = self.patience_used >= stopping.patience

    def advance(self) -> None:
        """Go to the next epoch."""
        self.epoch += 1
        self.batch = 0
        self.train_seconds = self.weight_sum = 0.0
        self.compared = self.differing = 0
