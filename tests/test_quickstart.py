"""What the first command of the README promises, kept by a real run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.heavy
def test_quickstart_looks_at_the_image_through_its_latent(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "latentvqa", "train"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "KL" in finished.stdout

    run = tmp_path / "runs" / "quickstart"
    found = json.loads((run / "evaluations" / "validation" / "evaluation.json").read_text("utf-8"))
    score = found["metrics"]["exact_match"]["value"]
    prior = max(found["priors"].values())
    assert score >= prior + 0.15
    assert found["metrics"]["exact_match_latents_shuffled"]["value"] <= prior + 0.05
    assert found["latent_use"]["verdict"]["word"] == "used, image and question"

    lines = (run / "metrics.jsonl").read_text("utf-8").splitlines()
    seconds = [sum(json.loads(line)["seconds"].values()) for line in lines[1:]]
    print(f"quickstart: {sum(seconds):.0f} s of training, exact match {score:.3f}")
    for name in ("config.toml", "best", "last", "split.csv", "report.html", "curves.png"):
        assert (run / name).stat().st_size > 0
