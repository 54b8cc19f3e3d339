"""Every tool, told of the same real run: what it holds is what the log holds."""

import json
from pathlib import Path

import pytest

import latentvqa
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.runs.evaluations import evaluation_folder
from latentvqa.engine.runs.samples import read_samples
from latentvqa.history import read_history
from latentvqa.tracking.measures import VERDICT, epoch_measures
from latentvqa.tracking.tracker import SAMPLE_COLUMNS, TrackedRun, sample_row
from tests.small_runs import assert_same_run
from tests.tracking.conftest import TOOLS
from tests.tracking.reading import held_by

NEARLY = {"rel": 1e-6, "abs": 1e-6}  # TensorBoard has numbers of 32 bits


def test_the_cells_of_a_sample_are_in_the_order_of_their_columns():
    sample = SampleAnswer(3, 17, "a.png", "what?", "red", 0.5, "blue", False)
    assert dict(zip(SAMPLE_COLUMNS, sample_row(sample), strict=True)) == {
        "question": "what?",
        "answer": "red",
        "confidence": 0.5,
        "reference": "blue",
        "is_right": False,
        "image": "a.png",
        "row": 17,
    }


def test_a_run_is_named_after_its_folder_wherever_one_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert TrackedRun(Path(), {}, "").name == tmp_path.name


@pytest.mark.heavy
def test_a_signal_ends_a_run_that_tools_are_told_of_with_its_code_and_no_process_stays(tracked):
    assert tracked.code == 143
    assert [one for one in Path("/proc").iterdir() if _is_service_of(one, tracked.pid)] == []


@pytest.mark.heavy
def test_no_tool_reaches_for_a_network(tracked):
    assert tracked.attempts == ""


@pytest.mark.heavy
def test_no_tool_changes_a_bit_of_the_run(tracked):
    assert_same_run(tracked.run, tracked.plain.run)
    assert read_samples(tracked.run) == read_samples(tracked.plain.run)


@pytest.mark.heavy
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_holds_every_epoch_once_with_the_numbers_of_the_log(tracked, tool):
    records = read_history(tracked.run).records
    epochs = held_by(tool, tracked.run).epochs
    assert [step for step, _ in epochs] == [0, 1, 2, 3]
    for record, (_, values) in zip(records, epochs, strict=True):
        assert values[VERDICT] in range(5)
        expected = {**epoch_measures(record), VERDICT: values[VERDICT]}
        assert values == pytest.approx(expected, **NEARLY)


@pytest.mark.heavy
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_holds_the_answers_of_every_epoch(tracked, tool):
    told = held_by(tool, tracked.run).samples
    assert [step for step, _ in told] == [0, 1, 2, 3]
    for sample in read_samples(tracked.run):
        assert sample.question in told[sample.epoch][1]
        assert sample.reference in told[sample.epoch][1]


@pytest.mark.heavy
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_holds_the_configuration_the_scores_and_the_verdict(tracked, tool):
    held = held_by(tool, tracked.run)
    assert "max_weight" in held.config and "15.0" in held.config
    path = evaluation_folder(tracked.run) / "evaluation.json"
    known = json.loads(path.read_text())["metrics"]
    found = {name: held.scores[f"evaluation/{name}"] for name in known}
    assert found == pytest.approx({name: one["value"] for name, one in known.items()}, **NEARLY)
    said = latentvqa.diagnose(tracked.run).verdict.sentence
    assert said.split(".")[0] in held.verdict


def _is_service_of(process: Path, pid: int) -> bool:
    """Whether a process is the one that W&B began for another."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"wandb-core" in words[0] and str(pid).encode() in words
