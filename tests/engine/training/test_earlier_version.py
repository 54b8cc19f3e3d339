"""Kept runs that were interrupted: they open, resume and end as they would have.

``run_0_1`` was begun by version 0.1, ``run_log2_checkpoint2`` with the formats of
this version (``python -m tests.kept_run``). The bits depend on torch, its threads
and the CPU's kernels, so the newest is resumed with those of its recording: AVX2, on a
processor of AMD. Elsewhere the numbers are compared.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from latentvqa.cli import app
from latentvqa.core.record_codec import SCHEMA as LOG_SCHEMA
from latentvqa.engine.runs.checkpoint import SCHEMA, load_checkpoint
from latentvqa.history import read_history
from latentvqa.sums import damaged_files
from tests.kept_run import EXPECTED_NAME, facts_of, make
from tests.small_runs import records_of

FIXTURES = Path(__file__).parents[2] / "fixtures"
NEWEST = FIXTURES / f"run_log{LOG_SCHEMA}_checkpoint{SCHEMA}"
EARLIEST = FIXTURES / "run_0_1"
RECORDED_AT = "/runs/run_0_1"  # stands in its config for the folder that it was trained in
LOSS_TOLERANCE = 1e-4
# the rounding of other kernels grows to 4e-4 in the steps that are left; a step too many
# moves a weight by up to 1e-2
TOLERANCE = 2e-3
# the kernels of ATen, oneDNN and MKL
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
RECORDED_BY = "AuthenticAMD"
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=[EARLIEST, NEWEST], ids=lambda path: path.name)
def kept(request):
    """A kept run, which stays as it is."""
    return request.param


@pytest.fixture
def expected(kept):
    return json.loads((kept / EXPECTED_NAME).read_text(encoding="utf-8"))


@pytest.fixture
def run(kept, tmp_path):
    """A copy of the run, in a folder of its own."""
    copy = tmp_path / "run"
    shutil.copytree(kept, copy)
    (copy / EXPECTED_NAME).unlink()
    if kept == EARLIEST:
        config = copy / "config.toml"
        config.write_text(config.read_text().replace(RECORDED_AT, copy.as_posix()))
    return copy


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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


def test_it_was_interrupted_within_an_epoch_of_the_full_stage(kept):
    checkpoint = load_checkpoint(kept / "last")
    progress = checkpoint.trainer["progress"]
    assert (progress["epoch"], progress["batch"], progress["step"]) == (2, 2, 12)
    assert progress["compared"] > 0
    assert {"sums.gradient_norm", "measures.kl_tokens"} <= set(checkpoint.trainer_tensors)
    assert load_checkpoint(kept).folder != checkpoint.folder
    assert not checkpoint.notes


def resumed_with_avx2(run):
    """What the command says, and on which platform it ran."""
    resuming = [sys.executable, "-m", "latentvqa", "train", "--resume", str(run)]
    asking = "import json; from latentvqa.engine.runtime import device as d; "
    asking += "import torch; torch.set_num_threads(1); print(json.dumps(d.numeric_platform()))"
    done, asked = (
        subprocess.run(
            command,
            env={**os.environ, **AVX2, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        for command in (resuming, [sys.executable, "-c", asking])
    )
    return done.stdout + done.stderr, json.loads(asked.stdout)


def test_it_resumes_to_the_end_that_its_own_version_reached(run, expected):
    said, platform = resumed_with_avx2(run)
    processor = platform.pop("processor")
    last = load_checkpoint(run / "last")
    assert last.folder.name == expected["checkpoint"]
    found = {name: facts_of(tensor) for name, tensor in last.weights.items()}
    assert found.keys() == expected["weights"].keys()
    is_known_same = platform == expected["platform"]
    is_same = is_known_same and processor.startswith(RECORDED_BY)
    for name, (digest, *numbers) in expected["weights"].items():
        if is_same:
            assert found[name][0] == digest, name
        assert_close(list(found[name][1:]), numbers, name)
    if is_same:
        assert known_part(records_of(run), expected["records"]) == expected["records"]
        assert (run / "best").read_text().strip() == expected["best"]
    else:
        assert_close(records_of(run), expected["records"])
    assert ("not bit for bit" in " ".join(said.split())) is not is_known_same
    assert "damaged" not in said
    assert damaged_files(run) == []
    assert read_history(run).notes == ()


def test_it_can_be_diagnosed(run):
    result = CliRunner().invoke(app, ["diagnose-kl", str(run), "--format", "json"])
    assert result.exit_code == 0, result.output
    history = read_history(run)
    assert [record.stage for record in history.records] == ["baseline", "warmup"]
    assert history.header.versions["latentvqa"]
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
        assert found["losses"][name] == pytest.approx(known[name], rel=LOSS_TOLERANCE), name
    assert found["metrics"]["exact_match"]["value"] == pytest.approx(known["exact_match"])
    table = ["--data", str(run / "data" / "questions.csv"), "--latent-use"]
    result = CliRunner().invoke(app, ["evaluate", str(run), *table, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["latent_use"] is not None


def test_its_page_can_be_made(run):
    result = CliRunner().invoke(app, ["report", str(run)])
    assert result.exit_code == 0, result.output
    assert "damaged" not in result.output and "not as the run wrote" not in result.output
    assert (run / "report.html").stat().st_size > 10_000


def test_the_newest_kept_run_has_the_formats_of_today():
    checkpoint = load_checkpoint(NEWEST / "last")
    assert checkpoint.model["schema"] == SCHEMA
    assert checkpoint.log == (NEWEST / "metrics.jsonl").read_bytes()
    assert f'"schema":{LOG_SCHEMA}'.encode() in checkpoint.log.splitlines()[0]


@pytest.mark.heavy
def test_the_newest_kept_run_can_be_made_anew(tmp_path, one_thread):
    make(tmp_path / "run")
    names = [
        sorted(path.relative_to(run).as_posix() for path in run.rglob("*"))
        for run in (tmp_path / "run", NEWEST)
    ]
    assert names[0] == names[1]
    expected = json.loads((NEWEST / EXPECTED_NAME).read_text(encoding="utf-8"))
    found = json.loads((tmp_path / "run" / EXPECTED_NAME).read_text(encoding="utf-8"))
    assert found.keys() == expected.keys()
    if found["platform"] == expected["platform"]:
        assert found == expected
    assert_close(found["records"], expected["records"])
