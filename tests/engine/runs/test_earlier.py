"""An earlier run gives way to a new one, and nothing else does."""

import shutil

import pytest

from latentvqa.engine.runs.earlier import (
    BEGUN,
    contents,
    free_data_folder,
    kept_notice,
    remove_earlier,
    require_usable,
)
from latentvqa.engine.runs.folder import read_config, write_config
from latentvqa.errors import CheckpointError
from latentvqa.history import LOG_NAME, write_header
from tests.runs import HEADER
from tests.small_runs import small_config


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished.run, tmp_path / "run")


def test_a_folder_that_is_not_empty_is_refused_with_the_ways_out(tmp_path):
    require_usable(tmp_path, "", overwrite=False)
    (tmp_path / ".lock").touch()
    require_usable(tmp_path, "", overwrite=False)
    (tmp_path / "note").touch()
    with pytest.raises(CheckpointError) as caught:
        require_usable(tmp_path, "", overwrite=False)
    message = str(caught.value)
    assert "not empty" in message and "--resume" in message and "--overwrite" in message


@pytest.mark.parametrize("content", [None, "", "epoch,loss\n1,2\n", '{"epoch": 0}\n'])
def test_a_foreign_folder_never_gives_way(tmp_path, content):
    (tmp_path / "thesis.txt").write_text("mine")
    if content is not None:
        (tmp_path / LOG_NAME).write_text(content)
    with pytest.raises(CheckpointError, match="nothing in it was touched"):
        require_usable(tmp_path, "process 1 on here", overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_run_that_was_killed_before_its_log_gives_way(tmp_path):
    write_config(tmp_path, small_config())
    require_usable(tmp_path, f"process 1 on here{BEGUN}", overwrite=True)
    assert remove_earlier(tmp_path) == []
    assert contents(tmp_path) == []


@pytest.mark.parametrize("linked", ["evaluations", "evaluations/linked"])
def test_what_a_link_among_the_results_leads_to_is_not_removed(run, tmp_path, linked):
    theirs = tmp_path / "theirs" / "linked"
    theirs.mkdir(parents=True)
    (theirs / "evaluation.json").write_text("theirs")
    if linked != "evaluations":
        (run / "evaluations").mkdir()
    (run / linked).symlink_to(theirs if linked != "evaluations" else theirs.parent)
    remove_earlier(run)
    assert (theirs / "evaluation.json").read_text() == "theirs"


def test_all_that_a_run_made_is_removed(run):
    evaluation = run / "evaluations" / "table"
    evaluation.mkdir(parents=True)
    (evaluation / "predictions.csv").touch()
    (run / "metrics.set-aside.jsonl").touch()
    (run / "samples.jsonl").touch()
    (run / "tensorboard").mkdir()
    (run / "tensorboard" / "events.out.tfevents.1.host.2.0").touch()
    require_usable(run, "", overwrite=True)
    assert remove_earlier(run) == []
    assert contents(run) == []


def test_files_that_no_run_made_stay_wherever_they_lie(run):
    mine = ["thesis.txt", "checkpoints/9-good/model.json", "evaluations/table/notes.md"]
    mine += ["data/images/photo.png", "data/labels.csv"]
    for name in mine:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("mine")
    kept = remove_earlier(run)
    assert kept == ["checkpoints", "data", "evaluations", "thesis.txt"]
    found = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert found == set(mine)
    assert kept_notice(run, kept).endswith("made them: checkpoints, data, evaluations, thesis.txt")


def test_data_that_the_new_run_reads_stays(run):
    config = read_config(run)
    images = len(list((run / "data" / "images").iterdir()))
    own = config.replace("data", train=run / "data" / "questions.csv", images=run / "data/images")
    assert remove_earlier(run, own) == []
    assert contents(run) == ["data"]
    assert len(list((run / "data" / "images").iterdir())) == images


def test_scenes_of_a_run_of_an_earlier_version_are_known_by_its_configuration(run):
    (run / "data" / "scenes.json").unlink()
    config = read_config(run)
    table, images = (run / "data" / name for name in ("questions.csv", "images"))
    write_config(run, config.replace("data", train=table.resolve(), images=images.resolve()))
    assert remove_earlier(run) == []
    assert contents(run) == []


def test_links_are_removed_themselves_and_never_what_they_lead_to(tmp_path):
    foreign, run = tmp_path / "foreign", tmp_path / "run"
    for folder in (foreign, run):
        folder.mkdir()
    write_header(run / LOG_NAME, HEADER)
    for name in ("report.html", "config.toml"):
        (foreign / name).touch()
        (run / name).symlink_to(foreign / name)
    assert remove_earlier(run) == []
    assert sorted(path.name for path in foreign.iterdir()) == ["config.toml", "report.html"]
    assert contents(run) == []


def test_scenes_find_a_place_beside_earlier_ones(tmp_path):
    names = []
    for _ in range(3):
        names.append(free_data_folder(tmp_path).name)
        (tmp_path / names[-1]).mkdir()
    assert names == ["data", "data-2", "data-3"]
