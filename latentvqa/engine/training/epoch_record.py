"""The end of an epoch: its validation and its record; nothing is written here."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from latentvqa.core.records import EpochRecord, SplitMetrics, Stage
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.metrics.accumulator import entropy_of
from latentvqa.engine.runtime.device import peak_memory_mib
from latentvqa.engine.scoring import ScoringSettings, TableScores, score_table
from latentvqa.engine.training.optimizer import set_rates
from latentvqa.engine.training.trainer import Trainer
from latentvqa.stopping import poll

_SAMPLES = 8  # questions that are answered for people to read


@dataclass(frozen=True)
class FinishedEpoch:
    """What is kept of an epoch.

    Attributes:
        record: its line of the log.
        samples: answers to a few validation questions; empty where none are due.
    """

    record: EpochRecord
    samples: list[SampleAnswer]


def finish_epoch(trainer: Trainer, stage: Stage) -> FinishedEpoch:
    """Validate, make the record, and let the trainer go to its next epoch.

    Args:
        trainer: all batches of its epoch are done.
        stage: of the epoch.

    Raises:
        Interrupted: at a signal; the epoch is still the trainer's.
        DivergenceError: if the validation loss is NaN or infinite.
    """
    start = time.perf_counter()
    scores = _validate(trainer, stage)
    val = scores.metrics
    if val.total_loss is None or not math.isfinite(val.total_loss):
        raise trainer.divergence("the validation loss")
    val_seconds = time.perf_counter() - start
    trainer.progress.judge(val, stage, trainer.settings.config.early_stopping, trainer.patience)
    record = _record(trainer, stage, val, val_seconds)
    samples = _samples(trainer, scores)
    trainer.next_epoch()
    return FinishedEpoch(record, samples)


def _samples(trainer: Trainer, scores: TableScores) -> list[SampleAnswer]:
    """What validation answered to a few questions, taken evenly over the table."""
    every, epoch = trainer.settings.config.run.sample_every, trainer.progress.epoch
    if not every or (epoch + 1) % every:
        return []
    table = trainer.val.encoded.table
    count = min(_SAMPLES, len(table))
    return [
        SampleAnswer(
            epoch=epoch,
            row=int(table.rows[row]),
            image=table.image_names[table.image_index[row]],
            question=table.questions[row],
            answer=scores.answers[row],
            confidence=float(scores.confidences[row]),
            reference=table.reference(row),
            is_right=bool(scores.is_right[row]),
        )
        for row in (place * len(table) // count for place in range(count))
    ]


def _record(trainer: Trainer, stage: Stage, val: SplitMetrics, val_seconds: float) -> EpochRecord:
    progress, sums, config = trainer.progress, trainer.sums, trainer.settings.config
    epoch, steps = progress.epoch, progress.batch
    train = sums.metrics.result(
        temperature=trainer.schedules.temperature(epoch),
        answer_entropy=_answer_entropy(trainer, epoch),
        orthogonality_weight=config.latent.orthogonality_weight,
        prior_nll=_prior_nll(trainer, epoch),
    )
    effective_weight = sums.weight_sum / steps
    return EpochRecord(
        epoch=epoch,
        stage=stage,
        train=train,
        val=val,
        kl_weight=effective_weight / config.kl.factor if config.kl.factor else 0.0,
        effective_kl_weight=effective_weight,
        beta=trainer.beta(effective_weight),
        learning_rates=set_rates(trainer.optimizer, config, progress.step - 1, trainer.total_steps),
        trainable=_trainable(trainer, stage),
        gates=tuple(trainer.model.fusion.gates().tolist()),
        teacher=sums.teacher_counts() if stage == "full" else None,
        gradient_norm=sums.gradient_norm.item() / steps,
        steps=steps,
        seconds={"train": sums.train_seconds, "validation": val_seconds},
        questions_per_second={
            "train": (train.rows or 0) / max(sums.train_seconds, 1e-9),
            "validation": (val.rows or 0) / max(val_seconds, 1e-9),
        },
        peak_memory_mib=peak_memory_mib(trainer.settings.device),
        best_epoch=progress.best_epoch,
        best_value=progress.best_value,
        patience_used=progress.patience_used,
        reached_target_epoch=progress.reached_target_epoch,
    )


def _validate(trainer: Trainer, stage: Stage) -> TableScores:
    settings, config = trainer.settings, trainer.settings.config

    def on_batch(done: int, total: int) -> None:
        trainer.observer.progress("validation", done, total)
        poll()

    scoring = ScoringSettings(
        kl=settings.kl,
        effective_weight=trainer.progress.weight,
        orthogonality_weight=config.latent.orthogonality_weight,
        temperature=config.latent.validation_temperature,
        seed=config.run.seed,
        batch_size=config.loader.evaluation_batch_size,
        workers=config.loader.workers,
        device=settings.device,
        precision=settings.precision,
        is_latent_used=stage != "baseline",
        language=trainer.tokenizers.rules_of(config.text.language),
    )
    with trainer.averaged():
        return score_table(
            trainer.model,
            trainer.val.encoded,
            trainer.images.val,
            trainer.tokenizers.answer,
            scoring,
            on_batch,
            trainer.val_entropy,
            None if trainer.floor is None else trainer.floor.val,
        )


def _answer_entropy(trainer: Trainer, epoch: int) -> float:
    """H(A) of the rows that an epoch asks, in nats."""
    if epoch >= trainer.schedules.first_epochs:
        return trainer.answer_entropy
    encoded = trainer.train.encoded
    return entropy_of(encoded.target_key(row) for row in trainer.rows(epoch).tolist())


def _prior_nll(trainer: Trainer, epoch: int) -> float | None:
    """Nats per answer of the answer prior on the rows that an epoch asks."""
    if trainer.floor is None:
        return None
    return float(trainer.floor.train_prior[trainer.rows(epoch)].mean())


def _trainable(trainer: Trainer, stage: Stage) -> dict[str, bool]:
    """Whether each component learns."""
    flags: dict[str, bool] = {}
    for group in trainer.optimizer.param_groups:
        name, is_trained = group["component"], any(one.requires_grad for one in group["params"])
        flags[name] = flags.get(name, False) or is_trained
    if "latent" in flags:
        flags["latent"] = stage != "baseline"
    return flags
