"""A run and its data renamed, moved and copied: found again, and known by their sums."""

import shutil

import pytest

from latentvqa.config import load_config
from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.runs.folder import RunFolder, read_config, write_config
from latentvqa.engine.runs.tables import training_table, validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.resume import continued
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import CheckpointError, ConfigError
from tests.small_runs import (
    Recorder,
    assert_same_run,
    questions,
    records_of,
    small_overrides,
    write_images,
    write_rows,
)

EPOCHS = ("stages.warmup=1", "stages.full=1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run on a table and images outside its folder; nobody may change them."""
    place = tmp_path_factory.mktemp("place") / "here"
    place.mkdir()
    table = write_rows(place / "t.csv", questions(8))
    images = write_images(place / "images", 8)
    overrides = [text for text in small_overrides(*EPOCHS) if not text.startswith("data.")]
    config = load_config(overrides=[*overrides, f"data.train={table}", f"data.images={images}"])
    train(config, place / "run", Observer())
    return place


@pytest.fixture
def place(whole, tmp_path):
    """The same at another place: what the run names is not there any more."""
    copy = shutil.copytree(whole, tmp_path / "there")
    config = copy / "run" / "config.toml"
    text = config.read_text(encoding="utf-8").replace(str(whole), "/nowhere")
    config.write_text(text, encoding="utf-8")
    return copy


def there(run, place, **changes):
    names = {"train": place / "t.csv", "images": place / "images", **changes}
    return read_config(run).replace("data", **names)


def test_what_lies_in_a_run_folder_is_recorded_relative_to_it(finished, tmp_path):
    text = RunFolder(finished.run).config.read_text(encoding="utf-8")
    assert 'train = "data/questions.csv"' in text and str(finished.run) not in text
    assert not RunFolder(finished.run).image_sums.exists()
    moved = shutil.copytree(finished.run, tmp_path / "renamed")
    for table in (validation_table(moved), training_table(moved)):
        assert {path.parent for path in table.image_paths} == {moved / "data" / "images"}
    evaluate_run(EvaluationRequest(moved), Observer())
    resume(moved, None, Observer())
    assert_same_run(moved, finished.run)


def test_scenes_of_a_run_of_an_earlier_version_are_found_after_a_move(finished, tmp_path):
    moved = shutil.copytree(finished.run, tmp_path / "renamed")
    config = RunFolder(moved).config
    text = config.read_text(encoding="utf-8").replace('"data/', '"/once/runs/old/data/')
    config.write_text(text, encoding="utf-8")
    assert validation_table(moved).path == moved / "data" / "questions.csv"


def test_paths_outside_stay_what_they_are(tmp_path):
    config = load_config(preset="quickstart").replace(
        "data", train=tmp_path / "run" / "data" / "t.csv", images=tmp_path / "images"
    )
    (tmp_path / "run").mkdir()
    write_config(tmp_path / "run", config)
    (tmp_path / "run").rename(tmp_path / "other")
    data = read_config(tmp_path / "other").data
    assert data.train == tmp_path / "other" / "data" / "t.csv"
    assert data.images == tmp_path / "images"


def test_a_run_goes_on_with_its_data_at_a_new_place(place, whole):
    run = place / "run"
    with pytest.raises(CheckpointError, match=r"--set data\.train=FILE"):
        resume(run, None, Observer())
    with pytest.raises(CheckpointError, match=r"/nowhere/t\.csv: .*is not there any more"):
        validation_table(run)
    config = there(run, place).replace("stages", full=2)
    resume(run, config, Observer())
    assert len(records_of(run)) == 3
    assert read_config(run).data.train == place / "t.csv"
    assert len(validation_table(run)) > 0


def test_other_tables_and_other_images_are_refused_and_named(place):
    run = place / "run"
    other = write_rows(place / "other.csv", questions(7))
    with pytest.raises(CheckpointError, match=r"other\.csv: .*SHA-256"):
        resume(run, there(run, place, train=other), Observer())
    held_out = validation_table(run, there(run, place).data).image_paths[0]
    held_out.write_bytes(held_out.read_bytes() + b"x")
    told = rf"{held_out} of \d+ differ"
    with pytest.raises(CheckpointError, match=told):
        resume(run, there(run, place), Observer())
    request = EvaluationRequest(run, data=place / "t.csv", images=place / "images")
    with pytest.raises(CheckpointError, match=told):
        evaluate_run(request, Observer())


def test_a_table_that_the_run_never_had_is_no_new_place(place):
    config = there(place / "run", place, val=place / "t.csv")
    with pytest.raises(ConfigError, match=r"data\.val"):
        continued(read_config(place / "run"), config)


def test_the_runs_own_table_at_a_new_place_is_its_validation_split(place):
    request = EvaluationRequest(place / "run", data=place / "t.csv", images=place / "images")
    recorder = Recorder()
    found, folder = evaluate_run(request, recorder)
    assert folder == place / "run" / "evaluations" / "validation"
    assert 0 < len(found.answers) < len(questions(8))
    assert any("own table at a new place" in notice for notice in recorder.notices)


def test_images_alone_can_be_at_a_new_place(whole, tmp_path):
    run = shutil.copytree(whole / "run", tmp_path / "run")
    images = shutil.copytree(whole / "images", tmp_path / "pictures")
    found, folder = evaluate_run(EvaluationRequest(run, images=images), Observer())
    assert folder.name == "validation"
    assert {path.parent for path in found.table.image_paths} == {images}


def test_without_sums_images_are_taken_with_a_remark(place):
    (place / "run" / "images.csv").unlink()
    recorder = Recorder()
    request = EvaluationRequest(place / "run", data=place / "t.csv", images=place / "images")
    evaluate_run(request, recorder)
    assert any("keeps no sums of its images" in notice for notice in recorder.notices)
