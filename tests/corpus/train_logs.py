"""Trains the tiny models whose logs the corpus keeps: ``python -m tests.corpus.train_logs``.

Half an hour on one CPU core for all; names given on the command line train only
those. Faults that no configuration can produce are built in here, around the
real training loop.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from latentvqa.config import load_config
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.schedules import Schedules
from latentvqa.engine.training.start import train
from latentvqa.history import LOG_NAME
from latentvqa.models import VQAModel
from latentvqa.models.latent import LatentBottleneck

LOGS = Path(__file__).parent / "logs"
BASE = {
    "data.scenes": "easy",
    "data.scene_images": 800,
    "data.scene_questions": 8,
    "vision.image_size": 64,
    "vision.stride": 16,
    "fusion.layers": 1,
    "latent.dims": 64,
    "kl.warmup_epochs": 6,
    "stages.warmup": 12,
    "stages.full": 2,
    "loader.batch_size": 64,
    "run.threads": 1,
    **{
        f"optimizer.{name}_rate": 1e-3
        for name in ("decoder", "latent", "fusion", "question", "vision")
    },
}
HARD = {"kl.factor": 200.0, "kl.warmup_epochs": 0}  # a thousand times the weight, at once


@contextmanager
def bypass() -> Iterator[None]:
    """The decoder also sees the fused tokens."""
    honest = VQAModel.memory

    def memory(self: VQAModel, encoded: Any, latents: Any, **more: Any) -> Any:
        held = honest(self, encoded, latents, **more)
        return replace(held, tokens=torch.cat([held.tokens, encoded.fused], dim=1))

    with mock.patch.object(VQAModel, "memory", memory):
        yield


@contextmanager
def hidden_tokens(first: int) -> Iterator[None]:
    """The decoder sees nothing of the latent tokens from ``first`` on."""
    honest = LatentBottleneck.memory

    def memory(self: LatentBottleneck, latents: torch.Tensor) -> torch.Tensor:
        seen = torch.arange(latents.shape[1], device=latents.device) < first
        return honest(self, latents) * seen[:, None]

    with mock.patch.object(LatentBottleneck, "memory", memory):
        yield


@contextmanager
def blind_from(first_epoch: int) -> Iterator[None]:
    """The decoder sees nothing of the latent from some epoch on."""
    honest, weight_of = LatentBottleneck.memory, Schedules.effective_weight
    now = {"epoch": 0}

    def weight(self: Schedules, epoch: int, *position: Any) -> float:
        now["epoch"] = epoch
        return weight_of(self, epoch, *position)

    def memory(self: LatentBottleneck, latents: torch.Tensor) -> torch.Tensor:
        return honest(self, latents) * (now["epoch"] < first_epoch)

    with (
        mock.patch.object(Schedules, "effective_weight", weight),
        mock.patch.object(LatentBottleneck, "memory", memory),
    ):
        yield


@contextmanager
def random_answers() -> Iterator[None]:
    """Answers dealt anew among the questions, so that nothing can be learnt."""
    import random

    honest = QuestionTable.__init__

    def init(self: QuestionTable, *arguments: Any, **named: Any) -> None:
        honest(self, *arguments, **named)
        dealt = list(self.answers)
        random.Random(len(dealt)).shuffle(dealt)
        object.__setattr__(self, "answers", dealt)

    with mock.patch.object(QuestionTable, "__init__", init):
        yield


@contextmanager
def crushed_at_first(epochs: int) -> Iterator[None]:
    """For some epochs no free bits and a thousand times the weight, then as configured."""
    from latentvqa.engine.training import batch_loss

    honest, hinge = Schedules.effective_weight, batch_loss.free_bits_penalty
    now = {"epoch": 0}

    def weight(self: Schedules, epoch: int, *position: Any) -> float:
        now["epoch"] = epoch
        return 3000.0 if epoch < epochs else honest(self, epoch, *position)

    def penalty(kl_token: torch.Tensor, free_bits: float) -> torch.Tensor:
        return hinge(kl_token, 0.0 if now["epoch"] < epochs else free_bits)

    with (
        mock.patch.object(Schedules, "effective_weight", weight),
        mock.patch.object(batch_loss, "free_bits_penalty", penalty),
    ):
        yield


RUNS: dict[str, tuple[dict[str, Any], Callable[[], Any] | None]] = {
    "default": ({}, None),
    "free-bits-low": ({"kl.free_bits": 0.02}, None),
    "free-bits-zero-weight-thousandfold": ({"kl.free_bits": 0.0, **HARD}, None),
    "free-bits-weight-thousandfold": (HARD, None),
    "sum-reduction": (
        {"kl.reduction": '"sum"', "kl.free_bits": 6.4, "kl.factor": 0.2 / 64},
        None,
    ),
    "weight-zero": ({"kl.max_weight": 0.0}, None),
    "free-bits-generous": ({"kl.free_bits": 5.0}, None),
    "bypass": ({"kl.free_bits": 0.0, "teacher.weight": 0.0, **HARD}, bypass),
    "decoder-blind": ({}, lambda: blind_from(4)),
    "random-answers": ({}, random_answers),
    "partial": ({"kl.free_bits": 0.0}, lambda: hidden_tokens(3)),
    "overfitting": (
        {"data.scene_images": 60, "stages.warmup": 40, "early_stopping.patience": 50},
        None,
    ),
    "exploding": (
        {"kl.max_weight": 0.0, "optimizer.latent_rate": 0.02, "optimizer.clip_norm": 100.0},
        None,
    ),
    "teacher-off": ({"teacher.weight": 0.0}, None),
    "deterministic": ({"latent.bottleneck": "deterministic"}, None),
    "none": ({"latent.bottleneck": "none"}, None),
    "recovered": ({}, lambda: crushed_at_first(4)),
    "stopped-in-warmup": ({"stages.warmup": 4, "stages.full": 0, "kl.warmup_epochs": 12}, None),
}


def train_run(name: str, run: Path, **fewer: Any) -> None:
    """Train one model, with a fault built in where it has one, into a run folder."""
    changes, fault = RUNS[name]
    overrides = [f"{key}={value}" for key, value in {**BASE, **changes, **fewer}.items()]
    with fault() if fault is not None else nullcontext():
        train(load_config(None, overrides=overrides), run, Observer())


def keep_log(name: str) -> None:
    """Train one model and keep its log."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / f"trained-{name}"
        train_run(name, run)
        text = (run / LOG_NAME).read_text().replace(folder, "/runs")
    (LOGS / f"trained-{name}.jsonl").write_text(text)


if __name__ == "__main__":
    LOGS.mkdir(exist_ok=True)
    for wanted in sys.argv[1:] or RUNS:
        keep_log(wanted)
        print(wanted, shutil.disk_usage(LOGS).free > 0, flush=True)
