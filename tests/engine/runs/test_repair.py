"""What is made anew when a run is resumed; whole resumptions stand in test_flips."""

import shutil

import pytest

from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.repair import repair
from latentvqa.engine.runs.saved_checkpoints import saved_names
from latentvqa.engine.runs.tables import training_table
from latentvqa.sums import damaged_files


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished.run, tmp_path / "run")


def test_a_whole_run_needs_no_repair(run):
    known = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert repair(run, damaged_files(run), training_table(run), "") == []
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == known


@pytest.mark.parametrize("content", [None, b"", b"0009-00000099\n"])
def test_pointers_are_found_out_and_written_anew(run, content):
    places = RunFolder(run)
    whole = {path: path.read_bytes() for path in (places.best, places.last)}
    for path in whole:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
    told = repair(run, damaged_files(run), training_table(run), "")
    assert {path: path.read_bytes() for path in whole} == whole
    for path, sentence in zip(whole, told, strict=True):
        name = whole[path].decode().strip()
        assert sentence == f"{path}: missing or damaged; written anew, it names {name}"


def test_counts_of_answers_are_made_anew_and_lists_of_images_are_told(run):
    places = RunFolder(run)
    whole = places.answers.read_bytes()
    damaged = [places.answers, places.image_sums]
    places.answers.write_bytes(b"{}")
    told = repair(run, damaged, training_table(run), "")
    assert places.answers.read_bytes() == whole
    assert "answers.json was damaged" in told[0] and "images.csv is damaged" in told[1]


def test_which_checkpoints_were_saved_is_known_again_from_the_pointers(run):
    places, known = RunFolder(run), saved_names(run)
    places.saved.write_bytes(b"{")
    assert "checkpoints.json was damaged" in repair(run, [places.saved], training_table(run), "")[0]
    assert damaged_files(run) == []
    named = {path.read_text().strip() for path in (places.best, places.last)}
    assert named <= saved_names(run) <= known
