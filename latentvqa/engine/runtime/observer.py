"""What the engine reports while it works; the caller decides what to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.figures import counted
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.results.samples import SampleAnswer

if TYPE_CHECKING:
    from latentvqa.engine.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class TrainingPlan:
    """What is about to be trained.

    Attributes:
        train_questions: questions to train on.
        train_images: distinct images of these.
        val_questions: questions to validate on.
        val_images: distinct images of these.
        parameters: number of parameters by component.
        peak_rates: peak learning rate by component.
        frozen_epochs: epochs at the start in which the backbone is frozen.
        batch_size: most questions of one step.
        steps_per_epoch: optimizer steps.
        epochs: planned epochs.
        effective_weight: KL weight at its full height.
        kl_schedule: when it is reached, in words.
        free_bits: allowance per latent token, in nats of ``kl_token``.
        free_bits_origin: how it was reckoned, where ``auto`` reckoned it.
        beta: price per nat of rate at the full weight.
        answer_entropy: H(A) of the training answers, in nats.
        patches: patch tokens per image.
        device: where it runs.
        precision: of the forward pass.
        memory: bytes of weights, gradients and moments; activations come on top.
    """

    train_questions: int
    train_images: int
    val_questions: int
    val_images: int
    parameters: dict[str, int]
    peak_rates: dict[str, float]
    frozen_epochs: int
    batch_size: int
    steps_per_epoch: int
    epochs: int
    effective_weight: float
    kl_schedule: str
    free_bits: float
    free_bits_origin: str
    beta: float
    answer_entropy: float
    patches: int
    device: str
    precision: str
    memory: int

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole plan."""
        return self.steps_per_epoch * self.epochs

    def summary(self) -> str:
        """What begins, in one line."""
        return (
            f"{counted(self.train_questions, 'question')} on "
            f"{counted(self.train_images, 'image')}, "
            f"validation {self.val_questions:,} on {self.val_images:,}; "
            f"{sum(self.parameters.values()):,} parameters; {counted(self.epochs, 'epoch')} of "
            f"{counted(self.steps_per_epoch, 'step')} of {counted(self.batch_size, 'question')} "
            f"on {self.device} ({self.precision})"
        )


class Observer:
    """Ignores everything; subclasses show what they like."""

    def notice(self, text: str) -> None:
        """Something the user should know."""

    def progress(self, phase: str, done: int, total: int) -> None:
        """``done`` of ``total`` items of a phase are finished."""

    def epoch_begins(self, epoch: int, epochs: int) -> None:
        """Batches of an epoch, 0-based, of so many that are planned come next."""

    def training_loss(self, value: float) -> None:
        """Loss of the step at work, where it is known without waiting for the device."""

    def planned(self, plan: TrainingPlan) -> None:
        """Training is about to start."""

    def sampled(self, samples: Sequence[SampleAnswer]) -> None:
        """Some validation questions were answered after an epoch; its record comes next."""

    def epoch(
        self, header: RunHeader, records: Sequence[EpochRecord], diagnosis: Diagnosis
    ) -> None:
        """An epoch's record was written; the last of ``records`` is the new one."""

    def trained(self, header: RunHeader, records: Sequence[EpochRecord]) -> None:
        """All epochs are done; the best checkpoint is evaluated next."""

    def evaluated(self, evaluation: Evaluation) -> None:
        """A checkpoint was evaluated; the result is written down next."""

    def judged(self, diagnosis: Diagnosis) -> None:
        """The verdict on the run, from its log and its evaluation."""


class ProgressAlone(Observer):
    """Shows how far something is that was done before, and says nothing again.

    Args:
        observer: who is shown it.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def progress(self, phase: str, done: int, total: int) -> None:
        """Pass on."""
        self._observer.progress(phase, done, total)
