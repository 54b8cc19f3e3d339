"""The run of this version that later ones must read, evaluate, resume and diagnose.

It was interrupted within an epoch of its full stage. Made anew, when a format
has changed, beside the one of the former version:

    python -m tests.kept_run tests/fixtures/NAME
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import torch

from latentvqa.config import Config, load_config
from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.device import numeric_platform
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from tests.small_runs import Interrupter, interrupted, records_of

EXPECTED_NAME = "expected.json"  # how the run ends when it is resumed
UNREAD = ("*.png", "attention.*")  # of its evaluation
INTERRUPTED_AT = 2  # batches of epoch 2, which is the full stage
TINY = {
    "data.scenes": "easy",
    "data.scene_images": 10,
    "data.scene_questions": 6,
    "vision.name": "test_resnet",
    "vision.image_size": 32,
    "vision.stride": 2,
    "fusion.width": 8,
    "fusion.heads": 2,
    "latent.tokens": 2,
    "latent.dims": 4,
    "latent.temperature_warmup_epochs": 1,
    "kl.warmup_epochs": 1,
    "stages.baseline": 1,
    "stages.warmup": 1,
    "stages.full": 1,
    **{f"optimizer.{name}_rate": 0.01 for name in ("question", "fusion", "latent", "decoder")},
    "loader.batch_size": 12,
    "run.device": "cpu",
    "run.precision": "fp32",
    "run.threads": 1,
}


def tiny_config(*changes: str, has_scenes: bool = True) -> Config:
    """The smallest run, on scenes or on what the changes name."""
    known = {key: value for key, value in TINY.items() if has_scenes or key[:5] != "data."}
    return load_config(
        None, overrides=[*(f"{key}={held}" for key, held in known.items()), *changes]
    )


def facts_of(tensor):
    """SHA-256 of the bytes, sum, and sum of the squares."""
    flat = tensor.contiguous().view(-1)
    digest = hashlib.sha256(flat.view(torch.uint8).numpy().tobytes()).hexdigest()
    return digest, float(flat.double().sum()), float(flat.double().square().sum())


def make(folder: Path) -> None:
    """Train the run, interrupt it, evaluate it, and write down how it would have ended."""
    with interrupted():
        train(tiny_config(), folder, Interrupter("epoch 2", INTERRUPTED_AT))
    evaluate_run(EvaluationRequest(folder, is_latent_use_examined=True), Observer())
    for pattern in UNREAD:
        for path in folder.glob(f"evaluations/*/{pattern}"):
            path.unlink()
    ended = folder.with_name(f"{folder.name}-ended")
    shutil.copytree(folder, ended)
    try:
        resume(ended, None, Observer())
        (folder / EXPECTED_NAME).write_text(json.dumps(end_of(ended), indent=1), encoding="utf-8")
    finally:
        shutil.rmtree(ended)


def end_of(run: Path) -> dict:
    """What a run came to."""
    last = load_checkpoint(run / "last")
    return {
        "platform": numeric_platform(),
        "checkpoint": last.folder.name,
        "best": (run / "best").read_text().strip(),
        "weights": {name: facts_of(tensor) for name, tensor in last.weights.items()},
        "records": records_of(run),
    }


if __name__ == "__main__":
    make(Path(sys.argv[1]))
