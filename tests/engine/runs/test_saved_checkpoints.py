"""Only what a run saved itself is removed."""

import json
import shutil

import pytest

from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.saved_checkpoints import newest_first, saved_names
from latentvqa.errors import CheckpointError
from tests.engine.runs.test_checkpoint import names, save, spoil


def test_copies_that_look_like_checkpoints_stay(tmp_path):
    save(tmp_path, 1, is_best=True)
    checkpoints = tmp_path / "checkpoints"
    copies = ["0001-mine", "2-good", "0009-00000081"]
    for name in copies:
        shutil.copytree(checkpoints / "0001-00000001", checkpoints / name)
    for number in (2, 3, 4):
        save(tmp_path, number)
    own = {"0001-00000001", "0003-00000003", "0004-00000004"}
    assert set(names(tmp_path)) == {*copies, *own}
    assert saved_names(tmp_path) == own


def test_a_copy_is_taken_only_where_nothing_of_the_run_is_intact(tmp_path):
    save(tmp_path, 1, is_best=True)
    save(tmp_path, 2)
    checkpoints = tmp_path / "checkpoints"
    shutil.copytree(checkpoints / "0001-00000001", checkpoints / "9-mine")
    assert newest_first(tmp_path) == ["0002-00000002", "0001-00000001", "9-mine"]
    for folder in ("0002-00000002", "0001-00000001"):
        spoil(checkpoints / folder / "model.safetensors")
    assert load_checkpoint(tmp_path).folder.name == "9-mine"


def test_a_run_stays_one_whatever_lies_in_it(tmp_path):
    save(tmp_path, 1, is_best=True)
    (tmp_path / "model.json").write_text("{}")  # as of an export, or of predict --format vqa
    assert load_checkpoint(tmp_path).folder.name == "0001-00000001"
    alone = tmp_path / "alone"
    shutil.copytree(tmp_path / "checkpoints" / "0001-00000001", alone)
    assert load_checkpoint(alone).folder == alone


def test_a_foreign_folder_of_the_next_name_is_neither_used_nor_removed(tmp_path):
    save(tmp_path, 1)
    save(tmp_path / "other", 2)
    foreign = tmp_path / "checkpoints" / "0002-00000002"
    shutil.copytree(tmp_path / "other" / "checkpoints" / foreign.name, foreign)
    with pytest.raises(CheckpointError, match="did not save this folder"):
        save(tmp_path, 2)
    assert foreign.is_dir() and load_checkpoint(tmp_path / "last").model["epoch"] == 1


@pytest.mark.parametrize("content", [None, "", "[]", '{"saved": ["..", "../..", 1, null]}'])
def test_without_a_record_the_pointers_say_what_is_own(tmp_path, content):
    for number in (1, 2):
        save(tmp_path, number, is_best=number == 1)
    record = tmp_path / "checkpoints.json"
    record.unlink() if content is None else record.write_text(content)
    (tmp_path / "checkpoints" / "3-mine").mkdir()
    save(tmp_path, 3)
    save(tmp_path, 4)
    found = {"0001-00000001", "0003-00000003", "0004-00000004"}
    assert set(names(tmp_path)) == {*found, "3-mine"}
    assert json.loads(record.read_text()).keys() == {"saved"}
