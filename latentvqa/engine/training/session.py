"""A run between its epochs: checkpoint first, then the log line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from latentvqa.config import Config, config_to_toml
from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.judgements import Judgements
from latentvqa.core.diagnosis.tuning import tuning_step
from latentvqa.core.diagnosis.tuning_events import tuned_values
from latentvqa.core.record_codec import encode_epoch
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.runs.checkpoint import save_checkpoint
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.samples import write_samples
from latentvqa.engine.runtime.device import numeric_platform
from latentvqa.engine.specification import ModelSpecification
from latentvqa.engine.training.epoch_record import finish_epoch
from latentvqa.engine.training.optimizer import optimizer_state
from latentvqa.engine.training.plan import announce
from latentvqa.engine.training.resume import RAW_WEIGHTS
from latentvqa.engine.training.trainer import Trainer
from latentvqa.errors import CheckpointError, DataError, LoaderError
from latentvqa.history import append_record
from latentvqa.log_lines import epoch_line, header_line
from latentvqa.models import own_state
from latentvqa.report.diagnosis.advice import tuning_text
from latentvqa.stopping import Interrupted, deferred


@dataclass(frozen=True)
class Outcome:
    """A finished run.

    Attributes:
        run: its folder.
        header: first line of its log.
        records: its epochs.
        is_stopped_early: patience ran out before the planned end.
    """

    run: Path
    header: RunHeader
    records: Sequence[EpochRecord]
    is_stopped_early: bool


class Session:
    """A run folder, its trainer and its log.

    Args:
        run: the run folder, header and configuration written.
        header: first line of its log.
        trainer: ready to run.
        spec: shape of the model, for the checkpoints.
        records: epochs that are done.
    """

    def __init__(
        self,
        run: Path,
        header: RunHeader,
        trainer: Trainer,
        spec: ModelSpecification,
        records: Sequence[EpochRecord],
    ) -> None:
        self.run, self.header, self.trainer, self.spec = run, header, trainer, spec
        self.records = list(records)
        # both grow with the run: made once for each epoch
        self._log = bytearray(header_line(header) + b"".join(map(epoch_line, records)))
        self._judgements = Judgements()
        self._last_save = time.monotonic()

    def finish(self) -> Outcome:
        """Run all epochs that are left.

        Raises:
            Interrupted: at a signal, after ``last`` was saved.
            DataError: for an image that went bad meanwhile, likewise.
            LoaderError: if a loader process ended, likewise.
        """
        trainer, progress = self.trainer, self.trainer.progress
        announce(trainer)
        with deferred():
            while progress.epoch < trainer.schedules.epochs and not progress.is_stopped:
                self._finish_epoch()
        return Outcome(
            run=self.run,
            header=self.header,
            records=self.records,
            is_stopped_early=progress.is_stopped,
        )

    def _finish_epoch(self) -> None:
        """Train what is left of an epoch, validate, save and log."""
        trainer, progress = self.trainer, self.trainer.progress
        try:
            stage = trainer.train_epoch(self._save_if_due)
            finished = finish_epoch(trainer, stage)
        except (Interrupted, DataError, LoaderError):
            self._save()  # between two batches the state is whole
            raise
        record = self._tuned(finished.record)
        if finished.samples:
            self._keep(finished.samples)
        self.records.append(record)
        self._log += epoch_line(record)
        self._save(is_best=progress.best_epoch == record.epoch)
        append_record(RunFolder(self.run).log, record)
        if record.tuning is not None:
            trainer.observer.notice(tuning_text(record.tuning))
            trainer.adopt(tuned_config(trainer.settings.initial, self.records))
        limits = trainer.settings.config.kl_health
        diagnosis = diagnose(self.header, self.records, limits, earlier=self._judgements)
        trainer.observer.epoch(self.header, self.records, diagnosis)

    def _keep(self, samples: Sequence[SampleAnswer]) -> None:
        """Keep and tell sample answers; what is for reading alone ends no run."""
        try:
            write_samples(self.run, samples)
        except (OSError, CheckpointError) as error:
            self.trainer.observer.notice(f"warning: the sample answers are not kept: {error}")
        self.trainer.observer.sampled(samples)

    def _tuned(self, record: EpochRecord) -> EpochRecord:
        """The record with what automatic tuning does after it."""
        config = self.trainer.settings.config
        if not config.run.auto_tune:
            return record
        event = tuning_step(self.header, [*self.records, record], config.kl_health)
        return replace(record, tuning=event)

    def _save_if_due(self) -> None:
        waited = (time.monotonic() - self._last_save) / 60
        if waited >= self.trainer.settings.config.run.checkpoint_minutes:
            self._save()

    def _save(self, is_best: bool = False) -> None:
        trainer, progress = self.trainer, self.trainer.progress
        settings, config = trainer.settings, trainer.settings.config
        trainer.settle()
        trainer.require_finite_state()
        sums, values = trainer.sums.state()
        average = trainer.average
        weights, raw = (own_state(trainer.model), None) if average is None else average.state()
        tensors = {
            **optimizer_state(trainer.optimizer),
            **sums,
            **{f"{RAW_WEIGHTS}{name}": value for name, value in (raw or {}).items()},
            "rng.cpu": torch.get_rng_state(),
        }
        if settings.device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(settings.device)
        model = {
            "specification": self.spec.to_json(),
            "epoch": self.records[-1].epoch if self.records else None,
            "step": progress.step,
            "record": encode_epoch(self.records[-1]) if self.records else None,
            "latent": config.latent.model_dump(),
            "kl": config.kl.model_dump(),
            "effective_kl_weight": progress.weight,
            "seed": config.run.seed,
            "language": config.text.language,
            "max_pixels": config.data.max_pixels,
            "precision": settings.precision,
            "versions": dict(self.header.versions),
        }
        save_checkpoint(
            self.run,
            f"{progress.epoch:04d}-{progress.step:08d}",
            weights=weights,
            model=model,
            tokenizers=trainer.tokenizers.to_json(),
            trainer_tensors=tensors,
            trainer={
                "progress": {**progress.to_json(), **values},
                "platform": numeric_platform(),
                "config": config_to_toml(settings.initial),
            },
            log=bytes(self._log),
            is_best=is_best,
            is_spelt=bool(trainer.tokenizers.answer.language),
        )
        self._last_save = time.monotonic()


def tuned_config(config: Config, records: Sequence[EpochRecord]) -> Config:
    """The configuration with which a run goes on after its records.

    Args:
        config: the resolved configuration that the run began with.
        records: its epochs, with what was changed after each.
    """
    for key, value in tuned_values(records).items():
        section, name = key.split(".")
        kind = type(getattr(getattr(config, section), name))
        config = config.replace(section, **{name: kind(value)})
    return config
