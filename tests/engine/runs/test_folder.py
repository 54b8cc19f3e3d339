import ast
import subprocess
import sys
from pathlib import Path

import pytest

import latentvqa
from latentvqa.engine.runs.folder import (
    RunFolder,
    new_run_folder,
    read_config,
    run_of,
    write_config,
)
from latentvqa.errors import CheckpointError, ConfigError
from tests.small_runs import small_config


def test_folders_are_numbered_from_two(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [new_run_folder("mine", None) for _ in range(3)]
    assert [str(folder) for folder in folders] == ["runs/mine", "runs/mine-2", "runs/mine-3"]
    assert all(folder.is_dir() for folder in folders)


def test_jobs_that_start_at_once_get_a_folder_each(tmp_path):
    code = (
        "import sys\n"
        "from latentvqa.engine.runs.folder import new_run_folder\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(*[new_run_folder('mine', None) for _ in range(20)])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    jobs = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, **pipes) for _ in range(6)]
    assert [job.stdout.readline() for job in jobs] == ["ready\n"] * 6
    for job in jobs:
        job.stdin.write("go\n")
        job.stdin.flush()
    found = [folder for job in jobs for folder in job.communicate()[0].split()]
    assert len(found) == len(set(found)) == 6 * 20


def test_an_empty_or_missing_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/below"):
        assert new_run_folder("x", tmp_path / name) == tmp_path / name


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("file", "nowhere"):
        with pytest.raises(CheckpointError, match="is a file"):
            new_run_folder("x", tmp_path / name)
    with pytest.raises(CheckpointError, match="cannot be made"):
        new_run_folder("x", tmp_path / "file" / "below")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").touch()
    with pytest.raises(CheckpointError, match="cannot be made"):
        new_run_folder("x", None)


def test_a_run_that_lies_among_the_checkpoints_of_another_is_found(tmp_path):
    inner = tmp_path / "run" / "checkpoints" / "x"
    inner.mkdir(parents=True)
    assert run_of(inner) == tmp_path / "run"  # a checkpoint has no configuration
    write_config(inner, small_config())
    assert run_of(inner) == run_of(inner / "best") == inner


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


# Names of files.


def test_all_that_a_training_writes_lies_where_the_run_folder_says(finished):
    run = RunFolder(finished.run)
    files = (run.config, run.log, run.split, run.answers, run.best, run.last)
    files += (run.blind_models, run.blind_weights, run.saved, run.sums)
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
