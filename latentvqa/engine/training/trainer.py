"""The training loop: one epoch at a time, interruptible between batches."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentvqa.config import Config
from latentvqa.core.records import (
    EpochRecord,
    SplitMetrics,
    Stage,
    TeacherCounts,
)
from latentvqa.core.schedules.epochs import beta_at
from latentvqa.data.batches import Batch, BatchLoader, plan_batches
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.metrics.accumulator import Measures, entropy_of
from latentvqa.engine.runtime.device import NumberInTransit, peak_memory_mib
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.runtime.signals import StopFlag
from latentvqa.engine.scoring import ScoringSettings, score_table
from latentvqa.engine.training.batch_loss import BatchLoss, BatchObjective
from latentvqa.engine.training.curriculum import first_rows
from latentvqa.engine.training.data import Split
from latentvqa.engine.training.features import ImageSources
from latentvqa.engine.training.optimizer import build_optimizer, set_rates
from latentvqa.engine.training.schedules import Recipe
from latentvqa.engine.training.settings import Settings
from latentvqa.engine.training.state import Progress
from latentvqa.engine.training.teacher import Teacher
from latentvqa.errors import DivergenceError
from latentvqa.models import VQAModel

# on an accelerator a look at the loss waits for it; on a CPU it is free
_FINITE_CHECK_STEPS = 25
_AFTER_DIVERGENCE = (
    "The last good checkpoint stays: continue from it with --set run.precision=fp32, or start a "
    "new run with lower learning rates."
)


class Trainer:
    """Runs epochs; the caller saves and logs between them.

    Args:
        settings: configuration, device and precision.
        model: on its device.
        tokenizers: of questions and answers.
        train: training side of the data.
        val: validation side.
        observer: hears of progress.
        stop: polled after every batch.
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
        stop: StopFlag,
    ) -> None:
        self.settings = settings
        self.model, self.tokenizers = model, tokenizers
        self.train, self.val = train, val
        self.observer, self.stop = observer, stop
        self.images = ImageSources(settings, model.vision, train.store, val.store, observer, stop)
        self._first_rows = first_rows(settings.config.data, train.encoded.table)
        self.refit(settings.config)
        self.optimizer = build_optimizer(model, self.config)
        self.progress = Progress()
        self.measures = Measures(settings.kl, settings.device)
        self.sums = self._fresh_sums()
        self._kl_raw: NumberInTransit | None = None
        teacher = Teacher(self.config.teacher, tokenizers.answer)
        self.objective = BatchObjective(settings, model, teacher)
        self.answer_entropy = train.answer_entropy
        self._tokens_per_answer = _mean_answer_tokens(train)

    def refit(self, config: Config) -> None:
        """Take another plan of stages, before the first step."""
        self.config, self.recipe = config, Recipe(config)
        self.steps_per_epoch = len(self._plan(self.recipe.first_epochs))
        first = self.recipe.first_epochs
        others = (self.recipe.epochs - first) * self.steps_per_epoch
        self.total_steps = max(1, first * len(self._plan(0)) + others)

    def adopt(self, config: Config) -> None:
        """Go on with other weights and rates, between two epochs; the plan stays."""
        self.settings = replace(self.settings, config=config)
        self.config, self.recipe = config, Recipe(config)
        self.measures = Measures(self.settings.kl, self.settings.device)
        self.objective = BatchObjective(self.settings, self.model, self.objective.teacher)

    def run_epoch(self, on_checkpoint_due: Any = None) -> EpochRecord:
        """Train what is left of the current epoch, validate, and advance.

        Args:
            on_checkpoint_due: called between batches; saves if it is time.

        Raises:
            Interrupted: at a signal; the state is consistent for a checkpoint.
            DivergenceError: if a term of the loss is NaN or infinite.
        """
        epoch = self.progress.epoch
        start = time.perf_counter()
        stage = self._enter(epoch)
        plan = self._plan(epoch)
        loader = BatchLoader(
            self.train.encoded,
            self.images.train,
            plan,
            workers=self.config.loader.workers,
            start=self.progress.batch,
        )
        for batch in loader:
            self._step(batch, stage, len(plan))
            now = time.perf_counter()
            self.progress.train_seconds += now - start
            start = now
            self.observer.progress(f"epoch {epoch}", self.progress.batch, len(plan))
            self.stop.poll()
            if on_checkpoint_due is not None:
                on_checkpoint_due()
        self._check_finite_parameters()
        return self._finish(stage)

    def time_steps(self, stage: Stage, count: int) -> float:
        """Seconds per optimizer step in a stage; trains the model as it measures."""
        self.model.train()
        plan = self._plan(0)
        batches = [plan[i % len(plan)] for i in range(count + 1)]
        times = []
        for batch in BatchLoader(self.train.encoded, self.train.store, batches, workers=0):
            self.stop.poll()
            start = time.perf_counter()
            self._step(batch, stage, len(plan))
            if self.settings.device.type == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        return sum(times[1:]) / count  # the first step also warms up

    def beta(self, effective_weight: float) -> float:
        """Price per nat of rate at an effective weight."""
        kl = self.settings.kl
        return beta_at(effective_weight, self._tokens_per_answer, kl.tokens, kl.dims, kl.reduction)

    def settle(self) -> None:
        """Let the controller hear of the last step: before the next one, and before a save.

        Raises:
            DivergenceError: if the KL is NaN or infinite.
        """
        if self._kl_raw is None:
            return
        kl_raw, self._kl_raw = self._kl_raw.read(), None
        if not math.isfinite(kl_raw):
            raise DivergenceError(self._divergence("kl_raw"))
        self.progress.controller = self.recipe.controlled(self.progress.controller, kl_raw)

    def _step(self, batch: Batch, stage: Stage, batches: int) -> None:
        self.settle()
        progress = self.progress
        weight = self.recipe.effective_weight(
            progress.epoch, progress.batch / batches, progress.controller
        )
        temperature = self.recipe.temperature(progress.epoch)
        set_rates(self.optimizer, self.config, progress.step, self.total_steps)
        loss = self.objective(batch, self._references(batch), stage, weight, temperature)
        if loss.kl_raw is not None and self.recipe.is_controlled(progress.epoch):
            self._kl_raw = NumberInTransit(loss.kl_raw)
        self._check_finite(loss)
        torch.autograd.backward(loss.total)
        norm = torch.nn.utils.clip_grad_norm_(
            self.model.parameters(), self.config.optimizer.clip_norm
        )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._add(loss, weight, norm)
        progress.batch += 1
        progress.step += 1

    def _add(self, loss: BatchLoss, weight: float, norm: Tensor) -> None:
        """Add a step to the sums of its epoch."""
        self.measures.add_answers(loss.answer_nll, loss.answer_tokens, loss.is_right)
        if loss.posterior is not None:
            self.measures.add_posterior(loss.posterior, weight)
        self.measures.add_regularisers(
            loss.terms.get("orthogonality"), loss.terms.get("teacher"), len(loss.answer_nll)
        )
        if loss.preference is not None:
            self.progress.compared += loss.preference.compared
            self.progress.differing += loss.preference.differing
            self.sums["violating"] += loss.preference.violating
        self.sums["gradient_norm"] += norm.detach()
        self.progress.weight = weight
        self.progress.weight_sum += weight

    def _references(self, batch: Batch) -> list[tuple[str, ...]]:
        answers = self.train.encoded.table.answers
        return [answers[row] for row in batch.rows.tolist()]

    def _enter(self, epoch: int) -> Stage:
        """Freeze what the epoch's stage freezes."""
        stage = self.recipe.stage(epoch)
        self.model.train()
        self.model.decoder.requires_grad_(stage != "baseline")
        self.images.freeze(self.recipe.is_vision_frozen(epoch))
        return stage

    def _plan(self, epoch: int) -> list[np.ndarray]:
        rows = self._rows(epoch)
        plan = plan_batches(
            self.train.encoded.table.image_index[rows],
            batch_size=self.config.loader.batch_size,
            questions_per_image=self.config.loader.questions_per_image,
            seed=self.config.run.seed,
            epoch=epoch,
            shuffle=True,
        )
        return [rows[places] for places in plan]

    def _rows(self, epoch: int) -> np.ndarray:
        """Rows that an epoch asks."""
        is_first = epoch < self.recipe.first_epochs
        return self._first_rows if is_first else np.arange(len(self.train.encoded))

    def _check_finite(self, loss: BatchLoss) -> None:
        is_due = self.settings.device.type == "cpu" or (
            self.progress.step % _FINITE_CHECK_STEPS == 0
        )
        if is_due and not math.isfinite(loss.total.item()):
            bad = [name for name, value in loss.terms.items() if not math.isfinite(value.item())]
            raise DivergenceError(self._divergence(", ".join(bad) or "the loss"))

    def _check_finite_parameters(self) -> None:
        for name, parameter in self.model.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise DivergenceError(self._divergence(f"the parameter {name}"))

    def _divergence(self, what: str) -> str:
        return (
            f"{what} became NaN or infinite in epoch {self.progress.epoch} at step "
            f"{self.progress.step}. {_AFTER_DIVERGENCE}"
        )

    def _finish(self, stage: Stage) -> EpochRecord:
        progress, config = self.progress, self.config
        epoch, steps = progress.epoch, progress.batch
        start = time.perf_counter()
        val = self._validate(stage)
        if val.total_loss is None or not math.isfinite(val.total_loss):
            raise DivergenceError(self._divergence("the validation loss"))
        val_seconds = time.perf_counter() - start
        train = self.measures.result(
            temperature=self.recipe.temperature(epoch),
            answer_entropy=self._answer_entropy(epoch),
            orthogonality_weight=config.latent.orthogonality_weight,
        )
        progress.judge(val, stage, config.early_stopping)
        effective_weight = progress.weight_sum / steps
        rates = set_rates(self.optimizer, config, progress.step - 1, self.total_steps)
        record = EpochRecord(
            epoch=epoch,
            stage=stage,
            train=train,
            val=val,
            kl_weight=effective_weight / config.kl.factor if config.kl.factor else 0.0,
            effective_kl_weight=effective_weight,
            beta=self.beta(effective_weight),
            learning_rates=rates,
            trainable=self._trainable(stage),
            gates=tuple(self.model.fusion.gates().tolist()),
            teacher=self._teacher_counts(stage),
            gradient_norm=self.sums["gradient_norm"].item() / steps,
            steps=steps,
            seconds={"train": progress.train_seconds, "validation": val_seconds},
            questions_per_second={
                "train": (train.rows or 0) / max(progress.train_seconds, 1e-9),
                "validation": (val.rows or 0) / max(val_seconds, 1e-9),
            },
            peak_memory_mib=peak_memory_mib(self.settings.device),
            best_epoch=progress.best_epoch,
            best_value=progress.best_value,
            patience_used=progress.patience_used,
            reached_target_epoch=progress.reached_target_epoch,
        )
        progress.advance()
        self.measures = Measures(self.settings.kl, self.settings.device)
        self.sums = self._fresh_sums()
        return record

    def _answer_entropy(self, epoch: int) -> float:
        if epoch >= self.recipe.first_epochs:
            return self.answer_entropy
        return entropy_of(self.train.encoded.target_key(row) for row in self._rows(epoch).tolist())

    def _validate(self, stage: Stage) -> SplitMetrics:
        config = self.config

        def on_batch(done: int, total: int) -> None:
            self.observer.progress("validation", done, total)
            self.stop.poll()

        settings = ScoringSettings(
            kl=self.settings.kl,
            effective_weight=self.progress.weight,
            orthogonality_weight=config.latent.orthogonality_weight,
            temperature=config.latent.validation_temperature,
            seed=config.run.seed,
            batch_size=config.loader.evaluation_batch_size,
            workers=config.loader.workers,
            device=self.settings.device,
            precision=self.settings.precision,
            is_latent_used=stage != "baseline",
            language=config.text.language,
        )
        return score_table(
            self.model,
            self.val.encoded,
            self.images.val,
            self.tokenizers.answer,
            settings,
            on_batch,
        ).metrics

    def _fresh_sums(self) -> dict[str, Tensor]:
        names = ("gradient_norm", "violating")
        return {name: torch.zeros((), device=self.settings.device) for name in names}

    def _teacher_counts(self, stage: Stage) -> TeacherCounts | None:
        if stage != "full":
            return None
        return TeacherCounts(
            compared=self.progress.compared,
            differing=self.progress.differing,
            violating=int(self.sums["violating"].item()),
        )

    def _trainable(self, stage: Stage) -> dict[str, bool]:
        flags = dict.fromkeys((group["component"] for group in self.optimizer.param_groups), True)
        if "vision" in flags:
            flags["vision"] = not self.recipe.is_vision_frozen(self.progress.epoch)
        flags["decoder"] = stage != "baseline"
        if "latent" in flags:
            flags["latent"] = stage != "baseline"
        return flags


def _mean_answer_tokens(split: Split) -> float:
    rows = len(split.encoded)
    return sum(len(split.encoded.target_key(row)) for row in range(rows)) / rows
