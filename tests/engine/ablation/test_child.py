"""The process of a run, called in this one: how it ends and what it writes of it."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from latentvqa.config import config_to_toml
from latentvqa.engine.ablation.child import run_to_end
from latentvqa.engine.ablation.output import LinePrinter
from latentvqa.engine.ablation.runs import Ending, RunPlace, read_ending, runnable
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.loading import export_backbone
from tests.small_runs import BRIEF, records_of, small_config, write_images, write_rows


def config_file(folder, *changes):
    path = folder / "config.toml"
    path.write_text(config_to_toml(small_config(*BRIEF, *changes)), encoding="utf-8")
    return path


def test_a_run_that_cannot_begin_ends_with_its_error_in_one_line(tmp_path, capsys):
    table = write_rows(tmp_path / "t.csv", [("0.png", "q", "yes"), ("0.png", "q\x1b[31m", " ")])
    images = write_images(tmp_path / "images", 1)
    config = config_file(tmp_path, f"data.train={table}", f"data.images={images}")
    code = run_to_end(tmp_path / "run", config, tmp_path / "ending.json")
    ending = read_ending(tmp_path / "ending.json")
    assert (code, ending.exit_code, ending.kind) == (1, 1, "DataError")
    assert "row 3, column 'answer'" in ending.message
    assert f"error: {ending.message}" in capsys.readouterr().out


def test_a_fault_of_the_configuration_ends_with_its_own_code(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[kl]\nfreebits = 1\n")
    assert run_to_end(tmp_path / "run", path, tmp_path / "ending.json") == 2
    ending = read_ending(tmp_path / "ending.json")
    assert (ending.exit_code, ending.kind) == (2, "ConfigError")
    assert "kl.freebits is unknown" in ending.message
    missing = tmp_path / "none.toml"
    assert run_to_end(tmp_path / "run", missing, tmp_path / "ending.json") == 2
    assert "none.toml: no such file" in read_ending(tmp_path / "ending.json").message


def test_a_run_with_a_checkpoint_goes_on_with_its_own_configuration(finished, tmp_path, capsys):
    run = shutil.copytree(finished.run, tmp_path / "run")
    known = records_of(run)
    other = config_file(tmp_path, "latent.temperature=0.9")
    assert run_to_end(run, other, tmp_path / "ending.json") == 0
    assert read_ending(tmp_path / "ending.json") == Ending(0)
    assert records_of(run) == known
    assert (run / "evaluations" / "validation" / "predictions.csv").is_file()
    assert "exact match" in capsys.readouterr().out


def test_a_run_goes_on_where_the_ablation_folder_has_moved(finished, tmp_path):
    weights = tmp_path / "old" / "backbones" / "own.safetensors"
    weights.parent.mkdir(parents=True)
    export_backbone(finished.run, weights)

    def brought_to_end(root):
        config = small_config(*BRIEF).replace("vision", pretrained=Path("backbones", weights.name))
        place = RunPlace(0, "arm", 0, config, root)
        place.folder.parent.mkdir(exist_ok=True)
        place.config_file.write_text(config_to_toml(runnable(place)), encoding="utf-8")
        if not (root / "data").exists():
            shutil.copytree(finished.run / "data", runnable(place).data.train.parent)
        return run_to_end(place.folder, place.config_file, place.ending_file), place

    code, place = brought_to_end(tmp_path / "old")
    assert code == 0
    known = records_of(place.folder)
    (tmp_path / "old").rename(tmp_path / "new")
    code, place = brought_to_end(tmp_path / "new")
    assert (code, records_of(place.folder)) == (0, known)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_left_of_a_start_without_checkpoint_is_removed_and_a_signal_ends_nothing(
    number, tmp_path, capsys, monkeypatch
):
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_text("torn")
    stopped = []

    class Stopping(LinePrinter):
        def progress(self, phase, done, total):
            if phase == "epoch 0" and not stopped:
                stopped.append(phase)
                os.kill(os.getpid(), number)

    monkeypatch.setattr("latentvqa.engine.ablation.child.LinePrinter", Stopping)
    code = run_to_end(run, config_file(tmp_path), tmp_path / "ending.json")
    assert code == 128 + number
    assert not (tmp_path / "ending.json").exists()
    assert capsys.readouterr().out.splitlines()[-1] == "interrupted; saved"
    assert load_checkpoint(run / "last").notes == ()
    assert "torn" not in (run / "metrics.jsonl").read_text()
