"""The verdict of the latent-use test as a run holds it."""

import json
import shutil
from dataclasses import replace

import pytest

import latentvqa
from latentvqa.engine.runs.folder import BEST
from latentvqa.engine.runs.latent_use import latent_use_of, latent_use_of_log, map_divergence_of
from latentvqa.engine.runs.saved_checkpoints import pointed_checkpoint
from latentvqa.history import read_history


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, whose evaluation says that its latent is bypassed."""
    run = shutil.copytree(finished.run, tmp_path / "run")
    write(run, pointed_checkpoint(run, BEST))
    return run


def write(run, checkpoint, **more):
    verdict = {"word": "bypassed", "sentence": "It goes around.", "images_needed": None}
    folder = run / "evaluations" / "validation"
    folder.mkdir(parents=True, exist_ok=True)
    held = {"checkpoint": checkpoint, "latent_use": {"verdict": verdict, **more}}
    (folder / "evaluation.json").write_text(json.dumps(held))
    return folder / "evaluation.json"


def test_the_test_of_the_best_checkpoint_is_part_of_every_diagnosis(run):
    found, lost = latent_use_of(run)
    assert lost == () and (found.word, found.sentence) == ("bypassed", "It goes around.")
    assert latent_use_of_log(read_history(run)) == (found, ())
    for log in (run, run / "last", run / "metrics.jsonl", read_history(run)):
        assert latentvqa.diagnose(log).verdict.code == "latent_bypassed"


def test_a_test_of_an_earlier_checkpoint_says_nothing_of_the_best(run):
    write(run, "0000-000000")
    assert latent_use_of(run) == (None, ())


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"checkpoint": 1}', "[" * 100_000])
def test_a_damaged_or_missing_evaluation_is_none(run, content):
    path = write(run, pointed_checkpoint(run, BEST))
    path.write_text(content)
    assert latent_use_of(run) == (None, ())
    path.unlink()
    assert latent_use_of(run) == (None, ())


def test_a_word_of_no_version_is_none(run):
    path = write(run, pointed_checkpoint(run, BEST))
    path.write_text(path.read_text().replace("bypassed", "splendid"))
    assert latent_use_of(run) == (None, ())


def test_a_log_of_another_tool_has_none(run):
    history = read_history(run)
    foreign = replace(history, header=replace(history.header, versions={}))
    assert latent_use_of_log(foreign) == (None, ())


def test_how_far_maps_lie_apart_is_known_of_the_checkpoint_that_was_tested_alone(run):
    name = pointed_checkpoint(run, BEST)
    checkpoint = run / "checkpoints" / name
    assert map_divergence_of(checkpoint) is None  # of an earlier version
    path = write(run, name, map_divergence=0.02)
    assert map_divergence_of(checkpoint) == 0.02
    assert map_divergence_of(run / "checkpoints" / "0000-000000") is None
    for content in ("{", path.read_text().replace("0.02", '"far"')):
        path.write_text(content)
        assert map_divergence_of(checkpoint) is None
