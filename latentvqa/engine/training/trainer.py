"""The training loop: the batches of one epoch after the other, interruptible between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from latentvqa.config import Config
from latentvqa.core.records import Stage
from latentvqa.core.schedules.epochs import beta_at
from latentvqa.data.batches import Batch, BatchLoader, plan_batches
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.augmentation import Augmentation
from latentvqa.engine.blind_scores import BlindFloor
from latentvqa.engine.language.remembering import remember_questions
from latentvqa.engine.metrics.accumulator import entropy_of
from latentvqa.engine.runtime.device import NumberInTransit
from latentvqa.engine.runtime.finite import first_not_finite
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.runtime.settings import Settings
from latentvqa.engine.training.batch_loss import BatchLoss, BatchResult
from latentvqa.engine.training.data import Split, first_rows
from latentvqa.engine.training.image_sources import ImageSources
from latentvqa.engine.training.optimizer import build_optimizer, set_rates
from latentvqa.engine.training.schedules import Schedules
from latentvqa.engine.training.state import EpochSums, Progress
from latentvqa.engine.training.teacher import Teacher
from latentvqa.errors import DivergenceError
from latentvqa.models import AveragedWeights, VQAModel
from latentvqa.stopping import poll

# on an accelerator reading the loss waits for it; on a CPU it is free
_FINITE_CHECK_STEPS = 25
_SHOWN_ROWS = 8  # of a batch, in a message
_AFTER_DIVERGENCE = (
    "The last good checkpoint stays, if one was saved: go on from it with --set "
    "run.precision=fp32, or look at these rows and the learning rates before a new run."
)


class Trainer:
    """Trains epochs; the caller validates, saves and logs between them.

    Args:
        settings: configuration, device and precision.
        model: on its device.
        tokenizers: of questions and answers.
        train: training side of the data.
        val: validation side.
        observer: receives progress.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        model: VQAModel,
        tokenizers: Tokenizers,
        train: Split,
        val: Split,
        observer: Observer,
    ) -> None:
        self.settings = settings
        self.model, self.tokenizers = model, tokenizers
        self.train, self.val = train, val
        self.observer = observer
        self.images = ImageSources(settings, model.vision, train.store, val.store, observer)
        self._augmentation = Augmentation(settings.config.augment, model.vision.preparation.size)
        self._first_rows = first_rows(settings.config.data, train.encoded.table)
        self.optimizer = build_optimizer(model, settings.config)
        decay = settings.config.optimizer.average_decay
        self.average = AveragedWeights(model, decay) if decay else None
        self.progress = Progress()
        self._begin_sums()
        self._count_steps()
        self._kl_raw: NumberInTransit | None = None
        self._are_questions_remembered = False
        teacher = Teacher(settings.config.teacher.scorer, tokenizers.answer)
        self.objective = BatchLoss(settings, model, teacher)
        self.answer_entropy = train.answer_entropy
        self.floor: BlindFloor | None = None  # fitted once a run is known to begin
        self._tokens_per_answer = _mean_answer_tokens(train)

    @cached_property
    def val_entropy(self) -> float:
        """H(A) of the judged validation targets, in nats."""
        encoded = self.val.encoded
        rows = range(len(encoded))
        chosen = rows if self.floor is None else np.flatnonzero(self.floor.val.is_judged).tolist()
        return entropy_of(encoded.target_key(row) for row in chosen)

    @property
    def schedules(self) -> Schedules:
        """What the configuration asks for at a place in the run."""
        return Schedules(self.settings.config)

    def refit(self, config: Config) -> None:
        """Take another configuration of stages, before the first step."""
        self.settings.begin_with(config)
        self._count_steps()

    def adopt(self, config: Config) -> None:
        """Go on with other weights and rates, between two epochs; the stages stay."""
        self.settings.adopt(config)
        self._begin_sums()

    def next_epoch(self) -> None:
        """Go to the next epoch, with nothing added up yet."""
        self.progress.advance()
        self._begin_sums()

    def train_epoch(self, on_checkpoint_due: Callable[[], None] = lambda: None) -> Stage:
        """Train what is left of the current epoch; gives its stage.

        Args:
            on_checkpoint_due: called between batches; saves if it is time.

        Raises:
            Interrupted: at a signal; the state is consistent for a checkpoint.
            DivergenceError: if a term of the loss, the gradient, a weight or a running
                statistic is NaN or infinite.
        """
        epoch = self.progress.epoch
        self.observer.epoch_begins(epoch, self.schedules.epochs)
        start = time.perf_counter()
        stage = self._enter(epoch)
        batches = self.batches(epoch)
        loader = BatchLoader(
            self.train.encoded,
            self.images.train,
            batches,
            workers=self.settings.config.loader.workers,
            start=self.progress.batch,
        )
        for batch in loader:
            self.step(batch, stage, len(batches))
            now = time.perf_counter()
            self.sums.train_seconds += now - start
            start = now
            self.observer.progress(f"epoch {epoch}", self.progress.batch, len(batches))
            poll()
            on_checkpoint_due()
        self.require_finite_state()
        return stage

    def averaged(self) -> AbstractContextManager[None]:
        """A block in which the model has its averaged weights, if there are any."""
        return nullcontext() if self.average is None else self.average.in_place()

    def beta(self, effective_weight: float) -> float:
        """Price per nat of rate at an effective weight."""
        kl = self.settings.kl
        return beta_at(effective_weight, self._tokens_per_answer, kl.tokens, kl.dims, kl.reduction)

    def settle(self) -> None:
        """Give the controller the KL of the last step: before the next one, and before a save.

        Raises:
            DivergenceError: if the KL is NaN or infinite.
        """
        if self._kl_raw is None:
            return
        kl_raw, self._kl_raw = self._kl_raw.read(), None
        if not math.isfinite(kl_raw):
            raise self.divergence("kl_raw")
        self.progress.controller = self.schedules.controlled(self.progress.controller, kl_raw)

    def step(self, batch: Batch, stage: Stage, batches: int) -> None:
        """Train on one of the batches of an epoch."""
        self.settle()
        progress, schedules, config = self.progress, self.schedules, self.settings.config
        weight = schedules.effective_weight(
            progress.epoch, progress.batch / batches, progress.controller
        )
        temperature = schedules.temperature(progress.epoch)
        set_rates(self.optimizer, config, progress.step, self.total_steps)
        kl_raw = None
        changed = replace(batch, images=self._augmentation(batch.images))
        for part in changed.parts(config.loader.micro_batch_size):
            share = len(part.rows) / len(batch.rows)
            loss = self.objective(part, self._references(part), stage, weight, temperature)
            self._require_finite_loss(loss, part)
            torch.autograd.backward(loss.total if share == 1.0 else share * loss.total)
            self.sums.add(loss, weight)
            if loss.kl_raw is not None:
                kl_raw = share * loss.kl_raw + (0.0 if kl_raw is None else kl_raw)
        if kl_raw is not None and schedules.is_controlled(progress.epoch):
            self._kl_raw = NumberInTransit(kl_raw)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.optimizer.clip_norm)
        self._require_finite_gradient(norm, batch)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.sums.add_step(weight, norm)
        progress.weight = weight
        progress.batch += 1
        progress.step += 1
        if self.average is not None:
            self.average.update(progress.step)

    def _begin_sums(self) -> None:
        self.sums = EpochSums(self.settings.kl, self.settings.device)

    def _count_steps(self) -> None:
        """Optimizer steps of a whole epoch and of the run, by the present stages."""
        schedules = self.schedules
        first = schedules.first_epochs
        each = self.steps_per_epoch = len(self.batches(first))
        self.patience = schedules.patience(each)
        self.total_steps = max(1, first * len(self.batches(0)) + (schedules.epochs - first) * each)

    def _references(self, batch: Batch) -> list[tuple[str, ...]]:
        return [self.train.encoded.table.answers[row] for row in batch.rows.tolist()]

    def _enter(self, epoch: int) -> Stage:
        """Freeze what the epoch's stage freezes, and ask once what frozen parts say."""
        stage = self.schedules.stage(epoch)
        self.model.train()
        self.model.decoder.requires_grad_(stage != "baseline")
        self.images.freeze(self.schedules.is_vision_frozen(epoch), not self.progress.step)
        if not self._are_questions_remembered:
            known = [side.encoded.distinct_questions() for side in (self.train, self.val)]
            remember_questions(
                self.model, [*known[0], *known[1]], self.settings.device, self.observer
            )
            self._are_questions_remembered = True
        return stage

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Rows of each batch of an epoch."""
        config, rows = self.settings.config, self.rows(epoch)
        planned = plan_batches(
            self.train.encoded.table.image_index[rows],
            batch_size=int(config.loader.batch_size),  # no longer "auto"
            questions_per_image=int(config.loader.questions_per_image),
            seed=config.run.seed,
            epoch=epoch,
            shuffle=True,
        )
        return [rows[places] for places in planned]

    def rows(self, epoch: int) -> np.ndarray:
        """Training rows that an epoch asks, shape ``(rows,)``."""
        is_first = epoch < self.schedules.first_epochs
        return self._first_rows if is_first else np.arange(len(self.train.encoded))

    def require_finite_state(self) -> None:
        """Refuse a model that must be neither saved nor validated.

        Raises:
            DivergenceError: naming a weight, or a running statistic, that is NaN or infinite.
        """
        if name := first_not_finite(self.model.state_dict()):
            raise self.divergence(name)

    def _is_check_due(self) -> bool:
        """Whether a number may be waited for: elsewhere than on a CPU that stops the device."""
        return self.settings.device.type == "cpu" or not self.progress.step % _FINITE_CHECK_STEPS

    def _require_finite_loss(self, loss: BatchResult, batch: Batch) -> None:
        if self._is_check_due():
            self.observer.training_loss(total := loss.total.item())
            if math.isfinite(total):
                return
            bad = [name for name, value in loss.terms.items() if not math.isfinite(value.item())]
            raise self.divergence(", ".join(bad) or "the loss", batch)

    def _require_finite_gradient(self, norm: Tensor, batch: Batch) -> None:
        """Stop before the step that would spoil the weights."""
        if self._is_check_due() and not math.isfinite(norm.item()):
            raise self.divergence("the gradient", batch)

    def divergence(self, what: str, batch: Batch | None = None) -> DivergenceError:
        """The error that says what became NaN or infinite, and where.

        Args:
            what: a term of the loss, a weight or a running statistic.
            batch: in which it was seen; its rows are named by their place in the table.
        """
        rows = ""
        if batch is not None:
            known = self.train.encoded.table.rows[batch.rows.numpy()].tolist()
            more = ", ..." if len(known) > _SHOWN_ROWS else ""
            rows = f", in a batch of rows {', '.join(map(str, known[:_SHOWN_ROWS]))}{more}"
        return DivergenceError(
            f"{what} became NaN or infinite in epoch {self.progress.epoch} at step "
            f"{self.progress.step}{rows}. {_AFTER_DIVERGENCE}"
        )


def _mean_answer_tokens(split: Split) -> float:
    rows = len(split.encoded)
    return sum(len(split.encoded.target_key(row)) for row in range(rows)) / rows
