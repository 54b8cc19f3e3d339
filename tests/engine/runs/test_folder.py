import ast
import json
from pathlib import Path

import pytest

import latentvqa
from latentvqa.engine.runs.folder import (
    RunFolder,
    evaluation_folder,
    new_run_folder,
    read_config,
    run_of,
    write_config,
)
from latentvqa.errors import CheckpointError, ConfigError
from latentvqa.history import LOG_NAME, write_header
from tests.runs import HEADER
from tests.small_runs import small_config


def test_folders_are_numbered_from_two(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [new_run_folder("mine", None, overwrite=False) for _ in range(3)]
    assert [str(folder) for folder in folders] == ["runs/mine", "runs/mine-2", "runs/mine-3"]
    assert all(folder.is_dir() for folder in folders)


def test_an_empty_or_missing_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/below"):
        assert new_run_folder("x", tmp_path / name, overwrite=False) == tmp_path / name


def test_a_folder_that_is_not_empty_is_refused_with_the_ways_out(tmp_path):
    (tmp_path / "note").touch()
    with pytest.raises(CheckpointError) as caught:
        new_run_folder("x", tmp_path, overwrite=False)
    message = str(caught.value)
    assert "not empty" in message and "--resume" in message and "--overwrite" in message


def test_an_earlier_run_is_replaced_when_asked(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    write_header(run / LOG_NAME, HEADER)
    (run / "checkpoints").mkdir()
    assert new_run_folder("x", run, overwrite=True) == run
    assert list(run.iterdir()) == []


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "run").mkdir()
    write_header(tmp_path / "run" / LOG_NAME, HEADER)
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert new_run_folder("x", tmp_path / "link", overwrite=True) == tmp_path / "run"
    assert (tmp_path / "link").is_symlink() and list((tmp_path / "link").iterdir()) == []


@pytest.mark.parametrize("content", [None, "", "epoch,loss\n1,2\n", '{"epoch": 0}\n'])
def test_a_foreign_folder_is_never_emptied(tmp_path, content):
    (tmp_path / "thesis.txt").write_text("mine")
    if content is not None:
        (tmp_path / LOG_NAME).write_text(content)
    with pytest.raises(CheckpointError, match="nothing in it was touched"):
        new_run_folder("x", tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("file", "nowhere"):
        with pytest.raises(CheckpointError, match="is a file"):
            new_run_folder("x", tmp_path / name, overwrite=True)
    with pytest.raises(CheckpointError, match="cannot be made"):
        new_run_folder("x", tmp_path / "file" / "below", overwrite=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").touch()
    with pytest.raises(CheckpointError, match="cannot be made"):
        new_run_folder("x", None, overwrite=False)


def test_the_config_comes_back_as_it_went(tmp_path):
    config = small_config("latent.bottleneck=none", "run.max_minutes=3.5")
    write_config(tmp_path, config)
    assert read_config(tmp_path) == config


def test_a_missing_or_foreign_config_is_told(tmp_path):
    with pytest.raises(CheckpointError, match=r"no config\.toml in it"):
        read_config(tmp_path)
    (tmp_path / "config.toml").write_text("[kl]\nbeta = 3\n")
    with pytest.raises(ConfigError, match=r"config\.toml: not a configuration of this version"):
        read_config(tmp_path)


@pytest.mark.parametrize("name", ["", "best", "last", "checkpoints/0001-00000001"])
def test_the_run_of_anything_in_it_is_found(tmp_path, name):
    assert run_of(tmp_path / name) == tmp_path


def written(folder, table):
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(json.dumps({"table": str(table)}))


@pytest.mark.parametrize("name", ["..csv", "...csv", "....csv"])
def test_a_table_named_by_dots_stays_inside(tmp_path, name):
    assert evaluation_folder(tmp_path, tmp_path / name) == tmp_path / "evaluations" / "table"


def test_results_on_tables_of_one_name_do_not_overwrite_each_other(tmp_path):
    run, one, other = tmp_path / "run", tmp_path / "a" / "test.csv", tmp_path / "b" / "test.csv"
    first = evaluation_folder(run, one)
    assert first == run / "evaluations" / "test"
    written(first, one)
    second = evaluation_folder(run, other)
    assert second == run / "evaluations" / "test-2"
    written(second, other)
    assert evaluation_folder(run, one) == first
    assert evaluation_folder(run, other) == second


def test_the_splits_place_belongs_to_no_table(tmp_path):
    folder = evaluation_folder(tmp_path, tmp_path / "validation.csv")
    assert folder == tmp_path / "evaluations" / "validation-2"
    assert evaluation_folder(tmp_path) == tmp_path / "evaluations" / "validation"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"table": '])
def test_results_that_cannot_be_read_give_way(tmp_path, content):
    folder = tmp_path / "evaluations" / "test"
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(content)
    assert evaluation_folder(tmp_path, tmp_path / "test.csv") == folder


# Names of files.


def test_all_that_a_training_writes_lies_where_the_run_folder_says(finished):
    run = RunFolder(finished.run)
    files = (run.config, run.log, run.split, run.answers, run.best, run.last)
    files += (run.blind_models, run.blind_weights)
    assert all(path.is_file() for path in files)
    folders = (run.data, run.checkpoints)
    assert all(path.is_dir() for path in folders)
    later = {run.evaluations, run.report, run.curves}
    assert set(run.path.iterdir()) <= {*files, *folders} | later


def test_the_run_of_a_checkpoint_or_a_pointer_is_found(finished):
    run = RunFolder(finished.run)
    checkpoint = run.checkpoints / run.best.read_text().strip()
    for path in (run.path, run.best, run.last, checkpoint):
        assert RunFolder.holding(path) == run


def test_no_other_module_spells_the_name_of_a_file_of_a_run():
    package = Path(latentvqa.__file__).parent
    run = RunFolder(Path())
    places = (run.config, run.log, run.split, run.answers, run.report, run.curves)
    names = {path.name for path in (*places, run.checkpoints, run.evaluations)}
    spelt = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert spelt == {"engine/runs/folder.py", "history.py"}
