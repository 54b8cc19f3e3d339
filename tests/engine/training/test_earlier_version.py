"""A run that version 0.1 began and was interrupted in: it opens, resumes and ends as it would have.

The bits depend on torch, its threads and the CPU's kernels: they are compared
where these are those of the recording, elsewhere the numbers are, to 1e-4.
"""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from latentvqa.cli import app
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.device import numeric_platform
from latentvqa.engine.training.start import resume
from latentvqa.history import read_history
from tests.small_runs import Recorder, records_of

EARLIER = Path(__file__).parents[2] / "fixtures" / "run_0_1"
RECORDED_AT = "/runs/run_0_1"  # stands in its config for the folder that it was trained in
EXPECTED = json.loads((EARLIER / "expected.json").read_text(encoding="utf-8"))
TOLERANCE = 1e-4


@pytest.fixture
def run(tmp_path):
    """A copy of the run, in a folder of its own."""
    copy = tmp_path / "run"
    shutil.copytree(EARLIER, copy)
    (copy / "expected.json").unlink()
    config = copy / "config.toml"
    config.write_text(config.read_text().replace(RECORDED_AT, copy.as_posix()))
    return copy


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def facts_of(tensor):
    """SHA-256 of the bytes, sum, and sum of the squares."""
    flat = tensor.contiguous().view(-1)
    digest = hashlib.sha256(flat.view(torch.uint8).numpy().tobytes()).hexdigest()
    return digest, float(flat.double().sum()), float(flat.double().square().sum())


def assert_close(found, expected, at=""):
    """All keys of that version, and numbers within the tolerance."""
    if isinstance(expected, dict):
        assert found.keys() >= expected.keys(), at
        for key, value in expected.items():
            assert_close(found[key], value, f"{at}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), at
        for place, value in enumerate(expected):
            assert_close(found[place], value, f"{at}[{place}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE), at
    else:
        assert found == expected, at


def known_part(found, expected):
    """What that version measured too; later ones measure more."""
    if isinstance(expected, dict):
        return {key: known_part(found.get(key), value) for key, value in expected.items()}
    if isinstance(expected, list) and len(found) == len(expected):
        return [known_part(*pair) for pair in zip(found, expected, strict=True)]
    return found


def test_it_was_interrupted_within_an_epoch_of_the_full_stage():
    checkpoint = load_checkpoint(EARLIER / "last")
    progress = checkpoint.trainer["progress"]
    assert (progress["epoch"], progress["batch"], progress["step"]) == (2, 2, 12)
    assert progress["compared"] > 0
    assert {"sums.gradient_norm", "measures.kl_tokens"} <= set(checkpoint.trainer_tensors)
    assert load_checkpoint(EARLIER).folder != checkpoint.folder
    assert not checkpoint.notes


def test_it_resumes_to_the_end_that_its_own_version_reached(run, one_thread):
    recorder = Recorder()
    outcome = resume(run, None, recorder)
    assert len(outcome.records) == 3
    last = load_checkpoint(run / "last")
    assert last.folder.name == EXPECTED["checkpoint"]
    found = {name: facts_of(tensor) for name, tensor in last.weights.items()}
    assert found.keys() == EXPECTED["weights"].keys()
    is_same = numeric_platform() == EXPECTED["platform"]
    for name, (digest, *numbers) in EXPECTED["weights"].items():
        if is_same:
            assert found[name][0] == digest, name
        assert_close(list(found[name][1:]), numbers, name)
    if is_same:
        assert known_part(records_of(run), EXPECTED["records"]) == EXPECTED["records"]
        assert (run / "best").read_text().strip() == EXPECTED["best"]
    else:
        assert_close(records_of(run), EXPECTED["records"])
    said = any("not bit for bit" in text for text in recorder.notices)
    assert said is not is_same


def test_it_can_be_diagnosed(run):
    result = CliRunner().invoke(app, ["diagnose-kl", str(run), "--format", "json"])
    assert result.exit_code == 0, result.output
    history = read_history(run)
    assert [record.stage for record in history.records] == ["baseline", "warmup"]
    assert history.header.versions["latentvqa"] == "0.1.0"
    assert not history.notes
    assert json.loads(result.stdout)["schema"] == 1


def test_it_can_be_evaluated_and_scores_what_its_validation_did(run, one_thread):
    result = CliRunner().invoke(app, ["evaluate", str(run), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    best = load_checkpoint(run)
    known = best.model["record"]["val"]
    assert found["checkpoint"] == best.folder.name
    for name in ("answer_loss", "answer_nll", "kl_raw", "rate"):
        assert found["losses"][name] == pytest.approx(known[name], rel=TOLERANCE), name
    assert found["metrics"]["exact_match"]["value"] == pytest.approx(known["exact_match"])
    table = ["--data", str(run / "data" / "questions.csv"), "--latent-use"]
    result = CliRunner().invoke(app, ["evaluate", str(run), *table, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["latent_use"] is not None
