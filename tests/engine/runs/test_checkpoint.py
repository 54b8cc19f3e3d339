import json
import os
import shutil
import stat
from pathlib import Path

import pytest
import torch

from latentvqa.engine.runs.checkpoint import (
    SCHEMA,
    SPELT_SCHEMA,
    load_checkpoint,
    save_checkpoint,
    write_calibration,
)
from latentvqa.engine.runs.saved_checkpoints import checkpoint_candidates
from latentvqa.errors import CheckpointError
from latentvqa.sums import replace_summed
from tests.small_runs import small_disk

FILES = (
    "metrics.jsonl",
    "model.json",
    "model.safetensors",
    "tokenizer.json",
    "trainer.json",
    "trainer.safetensors",
)


NEWER = r"written by a newer LatentVQA \(format 99; this one reads up to 3\)"


def save(run: Path, number: int, value=None, *, is_best=False, is_spelt=False, size=4) -> Path:
    return save_checkpoint(
        run,
        f"{number:04d}-{number:08d}",
        weights={"weight": torch.full((size,), float(number if value is None else value))},
        model={"epoch": number},
        tokenizers="{}",
        trainer_tensors={"moment": torch.arange(size)},
        trainer={"step": number, "progress": {"best_epoch": None}},
        log=b"{}\n",
        is_best=is_best,
        is_spelt=is_spelt,
    )


def names(run):
    return sorted(entry.name for entry in (run / "checkpoints").iterdir())


def spoil(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_was_saved_is_loaded(tmp_path):
    folder = save(tmp_path, 1, is_best=True)
    loaded = load_checkpoint(tmp_path)
    assert loaded.folder == folder
    assert torch.equal(loaded.weights["weight"], torch.ones(4))
    assert torch.equal(loaded.trainer_tensors["moment"], torch.arange(4))
    assert (loaded.model["epoch"], loaded.trainer["step"], loaded.tokenizers) == (1, 1, "{}")
    assert loaded.log == b"{}\n"
    assert sorted(file.name for file in folder.iterdir()) == sorted([*FILES, "sums.json"])


def test_a_run_means_its_best_and_the_others_are_named(tmp_path):
    save(tmp_path, 1, is_best=True)
    save(tmp_path, 2)
    folder = save(tmp_path, 3)
    for path, number in (("", 1), ("best", 1), ("last", 3), (f"checkpoints/{folder.name}", 3)):
        assert load_checkpoint(tmp_path / path).model["epoch"] == number


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_who_may_read_the_weights_is_what_the_umask_says(tmp_path, mask):
    known = os.umask(mask)
    try:
        folder = save(tmp_path, 1)
    finally:
        os.umask(known)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == dict.fromkeys([*FILES, "sums.json"], 0o666 & ~mask)


def test_a_link_at_the_place_of_what_is_unfinished_is_not_followed(tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis").touch()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / ".writing-0001-00000001").symlink_to(tmp_path / "foreign")
    save(tmp_path, 1)
    assert load_checkpoint(tmp_path).model["epoch"] == 1
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["thesis"]


def test_best_last_and_the_one_before_are_kept(tmp_path):
    save(tmp_path, 1, is_best=True)
    for number in (2, 3, 4):
        save(tmp_path, number)
    assert names(tmp_path) == ["0001-00000001", "0003-00000003", "0004-00000004"]


@pytest.mark.parametrize("name", [*FILES, "sums.json"])
def test_one_flipped_byte_is_noticed_and_both_folders_are_named(tmp_path, name):
    older, newer = save(tmp_path, 1), save(tmp_path, 2)
    spoil(newer / name)
    loaded = load_checkpoint(tmp_path / "last")
    assert loaded.folder == older
    assert str(newer) in loaded.notes[0] and f"using {older} instead" in loaded.notes[0]


def test_weights_that_are_not_numbers_are_passed_over(tmp_path):
    older, newer = save(tmp_path, 1), save(tmp_path, 2, float("nan"), is_best=True)
    for path in (tmp_path, tmp_path / "last"):
        loaded = load_checkpoint(path)
        assert loaded.folder == older
        assert f"{newer} holds a weight that is NaN or infinite" in loaded.notes[0]


@pytest.mark.parametrize("name", [*FILES, "sums.json"])
def test_a_missing_file_is_noticed(tmp_path, name):
    older, newer = save(tmp_path, 1), save(tmp_path, 2)
    (newer / name).unlink()
    assert load_checkpoint(tmp_path / "last").folder == older


def test_a_damaged_folder_of_the_same_name_is_written_anew(tmp_path):
    save(tmp_path, 1)
    folder = save(tmp_path, 2)
    spoil(folder / "model.safetensors")
    save(tmp_path, 2)
    assert load_checkpoint(tmp_path / "last").notes == ()


@pytest.mark.parametrize("content", ["", "0009-00000009\n"])
def test_a_lost_pointer_leads_to_the_newest(tmp_path, content):
    save(tmp_path, 1)
    save(tmp_path, 2)
    (tmp_path / "last").write_text(content)
    assert load_checkpoint(tmp_path / "last").model["epoch"] == 2


def test_a_kill_before_the_rename_leaves_the_former_checkpoint_and_no_stray(tmp_path):
    save(tmp_path, 1)
    stray = tmp_path / "checkpoints" / ".writing-0002-00000002"
    stray.mkdir()
    (stray / "model.safetensors").write_bytes(b"half")
    assert load_checkpoint(tmp_path / "last").model["epoch"] == 1
    save(tmp_path, 3)
    assert names(tmp_path) == ["0001-00000001", "0003-00000003"]


def test_a_kill_before_the_pointer_moves_leaves_the_former_checkpoint(tmp_path):
    save(tmp_path, 1)
    save(tmp_path, 2)
    (tmp_path / "last").write_text("0001-00000001\n")
    assert load_checkpoint(tmp_path / "last").model["epoch"] == 1
    save(tmp_path, 2)
    assert load_checkpoint(tmp_path / "last").model["epoch"] == 2


@pytest.mark.parametrize("name", ["", "last", "nothing/at/all"])
def test_a_folder_without_checkpoints_is_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match="no run folder with checkpoints here"):
        load_checkpoint(tmp_path / name)
    (tmp_path / "checkpoints").mkdir()
    if not name.startswith("nothing"):
        with pytest.raises(CheckpointError, match="no checkpoint yet"):
            checkpoint_candidates(tmp_path / name)


def test_another_schema_is_refused(tmp_path):
    folder = save(tmp_path, 1)
    model = json.loads((folder / "model.json").read_text())
    for schema, said in ((0, "checkpoint schema 0; this version reads 3"), (99, NEWER)):
        replace_summed({folder / "model.json": json.dumps({**model, "schema": schema}).encode()})
        with pytest.raises(CheckpointError, match=said):
            load_checkpoint(tmp_path)


def test_a_newer_checkpoint_is_not_passed_over_for_an_older_one(tmp_path):
    save(tmp_path, 1)
    path = save(tmp_path, 2) / "model.json"
    replace_summed({path: path.read_bytes().replace(b'"schema": 2', b'"schema": 4')})
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "last")
    assert str(caught.value) == (
        f"{path.parent}: written by a newer LatentVQA (format 4; this one reads up to 3): upgrade "
        "LatentVQA to use it"
    )


def test_a_kill_before_a_fitted_temperature_is_in_its_place_leaves_none(tmp_path):
    folder = save(tmp_path, 1)
    write_calibration(folder, 1.5)
    assert load_checkpoint(tmp_path / "last").logit_temperature == 1.5
    (folder / "calibration.json").unlink()
    assert load_checkpoint(tmp_path / "last").logit_temperature is None


@pytest.mark.parametrize("free", [0, 100_000, 200_000, 300_000])
def test_a_full_disk_is_told_and_the_older_checkpoint_stays(tmp_path, free):
    with small_disk(tmp_path / "disk", "1m") as run:
        save(run, 1, is_best=True, size=20_000)
        left = shutil.disk_usage(run).free
        (run / "filler").write_bytes(b"x" * (left - free))
        with pytest.raises(CheckpointError) as caught:
            save(run, 2, size=40_000)
        message = str(caught.value)
        assert "\n" not in message
        assert "No space left on device" in message and "could not be written" in message
        assert "free some space and continue with --resume" in message
        assert names(run) == ["0001-00000001"]
        for path in (run, run / "last"):
            loaded = load_checkpoint(path)
            assert loaded.model["epoch"] == 1 and loaded.notes == ()
        (run / "filler").unlink()
        save(run, 2)
        assert load_checkpoint(run / "last").model["epoch"] == 2


def test_a_spelling_has_a_format_that_earlier_versions_refuse(tmp_path):
    save(tmp_path, 1)
    assert load_checkpoint(tmp_path).model["schema"] == SCHEMA
    save(tmp_path, 2, is_spelt=True)
    assert load_checkpoint(tmp_path / "last").model["schema"] == SPELT_SCHEMA > SCHEMA
