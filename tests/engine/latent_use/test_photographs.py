"""Photographs that a model learns by heart: what its log and its test must say."""

from pathlib import Path

import pytest

from latentvqa.config import load_config
from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.data.tables import read_questions
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import train
from latentvqa.history import read_history

COMPONENTS = ("decoder", "latent", "fusion", "question", "vision")
RADIOLOGY = Path(__file__).parents[4] / "shared" / "data" / "vqa-rad"
IMAGES = RADIOLOGY / "images"
VALUES = {
    "data.val": RADIOLOGY / "disjoint-val.csv",
    "data.images": IMAGES,
    "data.keep_copies_together": "false",
    "vision.name": "test_efficientnet",
    "vision.image_size": 64,
    "vision.freeze_epochs": 0,
    "fusion.width": 64,
    "fusion.layers": 1,
    "latent.dims": 16,
    "latent.token_dropout": 0.0,
    "stages.warmup": 20,
    "stages.full": 0,
    "loader.batch_size": 32,
    "run.threads": 1,
    "run.precision": "fp32",
    **{f"optimizer.{name}_rate": 3e-3 for name in COMPONENTS},
}


@pytest.mark.heavy
@pytest.mark.skipif(not RADIOLOGY.exists(), reason="the tables are not beside the checkout")
def test_photographs_known_by_heart_are_called_memorised_by_log_and_test_together(tmp_path):
    lines = (RADIOLOGY / "disjoint-train.csv").read_text(encoding="utf-8").splitlines()
    few = tmp_path / "few.csv"
    few.write_text("\n".join(lines[:601]), encoding="utf-8")
    values = {**VALUES, "data.train": few}
    run = tmp_path / "run"
    train(load_config(None, overrides=[f"{k}={v}" for k, v in values.items()]), run, Observer())
    history = read_history(run)
    last = history.records[-1]
    assert last.train.exact_match > 2.0 * last.val.exact_match
    unseen = read_questions(RADIOLOGY / "disjoint-test.csv", images=IMAGES)
    found = evaluate(load_model(run / "last"), unseen, Observer(), run=run, latent_use="short")
    test = found.result.latent_use.verdict
    assert test.word in ("not learnt", "used, question only", "undetermined"), test.sentence
    diagnosis = diagnose(history.header, history.records, test=test)
    assert diagnosis.verdict.code == "memorised", diagnosis.verdict.sentence
    assert diagnosis.verdict.sentence.endswith(test.sentence)
    assert "latent_ignored" not in {finding.name for finding in diagnosis.open_findings}
