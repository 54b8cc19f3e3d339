"""What the first command of the README promises, kept by a real run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter
from scipy.stats import mannwhitneyu

import latentvqa


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quickstart")
    finished = subprocess.run(
        [sys.executable, "-m", "latentvqa", "train"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "KL" in finished.stdout
    return folder / "runs" / "quickstart"


@pytest.mark.heavy
def test_quickstart_looks_at_the_image_through_its_latent(run: Path) -> None:
    found = json.loads((run / "evaluations" / "validation" / "evaluation.json").read_text("utf-8"))
    score = found["metrics"]["exact_match"]["value"]
    prior = max(found["priors"].values())
    assert score >= prior + 0.15
    assert found["metrics"]["exact_match_latents_shuffled"]["value"] <= prior + 0.05
    assert found["latent_use"]["verdict"]["word"] == "used, image and question"
    verdict = latentvqa.diagnose(run).verdict
    assert verdict.level in ("ok", "info")
    assert found["latent_use"]["verdict"]["sentence"] in verdict.sentence

    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
    seconds = [sum(json.loads(line)["seconds"].values()) for line in lines[1:]]
    print(f"quickstart: {sum(seconds):.0f} s of training, exact match {score:.3f}")
    for name in ("config.toml", "best", "last", "split.csv", "report.html", "curves.png"):
        assert (run / name).stat().st_size > 0


@pytest.mark.heavy
def test_a_temperature_fitted_where_hardly_anything_is_wrong_ranks_blurred_images_no_worse(
    run: Path, tmp_path: Path
) -> None:
    split = pd.read_csv(run / "split.csv")
    held_out = sorted(split[split["split"] == "val"]["image"])
    for name in held_out:
        with Image.open(run / "data" / "images" / name) as image:
            image.filter(ImageFilter.GaussianBlur(3)).save(tmp_path / name)
    rows = pd.read_csv(run / "data" / "questions.csv")
    rows[rows["image"].isin(held_out)].to_csv(tmp_path / "blurred.csv", index=False)
    found = latentvqa.evaluate(run, tmp_path / "blurred.csv", tmp_path)
    right, sure = found.is_right > 0, found.log_probabilities
    assert 20 <= (~right).sum() <= len(right) - 20
    known = json.loads((run / "evaluations" / "validation" / "evaluation.json").read_text("utf-8"))
    if known["metrics"]["exact_match"]["value"] == 1.0:
        assert found.result.confidence.logit_temperature >= 1.0
    auroc = found.result.confidence.auroc
    assert auroc is not None
    untempered = mannwhitneyu(sure[right], sure[~right]).statistic / (right.sum() * (~right).sum())
    assert auroc.value == pytest.approx(untempered)
    assert np.isfinite(found.confidences).all()
