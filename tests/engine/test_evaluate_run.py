"""The evaluation of a run: which table, which checkpoint, and where the result lies."""

import shutil
import signal

import pytest

from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.runs.folder import read_config, write_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import ConfigError, DataError
from tests.small_runs import (
    Interrupter,
    Recorder,
    interrupted,
    questions,
    read_only,
    small_disk,
    write_images,
    write_rows,
)


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, for evaluations are written into it."""
    return shutil.copytree(finished.run, tmp_path / "run")


def evaluated(run, **options):
    return evaluate_run(EvaluationRequest(run, **options), Recorder())


def test_without_a_table_the_validation_split_is_scored_and_its_confidence_fitted(run):
    assert load_model(run).logit_temperature is None
    found, folder = evaluated(run)
    assert folder == run / "evaluations" / "validation"
    assert (folder / "evaluation.json").is_file() and (folder / "predictions.csv").is_file()
    assert found.table.questions == validation_table(run).questions
    assert found.result.checkpoint == (run / "best").read_text().strip()
    assert found.result.latent_use is None
    assert load_model(run).logit_temperature > 0.0


def test_a_table_is_read_with_the_runs_settings_unless_others_are_given(run):
    folder = run.parent
    images = write_images(folder / "images", 3)
    table = write_rows(folder / "own.csv", questions(3), "picture,question,answer")
    data = {"columns": {"image": "picture"}, "images": images}
    write_config(run, read_config(run).replace("data", **data))
    found, written = evaluated(run, data=table)
    assert written == run / "evaluations" / "own" and len(found.answers) == 12
    renamed = write_rows(folder / "other.csv", questions(3), "photo,question,answer")
    elsewhere = write_images(folder / "elsewhere", 3)
    again, _ = evaluated(run, data=renamed, images=elsewhere, columns={"image": "photo"})
    assert {path.parent for path in again.table.image_paths} == {elsewhere}
    assert again.answers == found.answers  # the same pictures


def test_a_checkpoint_without_its_run_needs_columns_and_images_of_its_own(run):
    alone = run.parent / "alone"
    (run / "checkpoints" / (run / "last").read_text().strip()).rename(alone)
    table = write_rows(run.parent / "own.csv", questions(2))
    images = write_images(run.parent / "images", 2)
    found, folder = evaluated(alone, data=table, images=images)
    assert len(found.answers) == 8
    assert folder.is_dir() and folder.parents[1] == alone


def test_columns_without_a_table_are_refused(run):
    with pytest.raises(ConfigError, match="name it with --data FILE"):
        evaluated(run, columns={"image": "picture"})


def test_bad_images_are_skipped_where_the_run_or_the_request_says_so(run):
    bad = validation_table(run).image_paths[0]
    images = shutil.copytree(read_config(run).data.images, run.parent / "images")
    (images / bad.name).write_bytes(b"junk")
    write_config(run, read_config(run).replace("data", images=images))
    with pytest.raises(DataError, match=bad.name):
        evaluated(run)
    found, _ = evaluated(run, skip_bad_images=True)
    assert len(found.answers) == 32 - 8
    write_config(run, read_config(run).replace("data", on_bad_image="skip"))
    assert len(evaluated(run)[0].answers) == 32 - 8


def test_a_damaged_checkpoint_is_remarked_on_and_its_neighbour_used(run):
    newest = (run / "last").read_text().strip()
    (run / "checkpoints" / newest / "model.safetensors").write_bytes(b"torn")
    recorder = Recorder()
    found, _ = evaluate_run(EvaluationRequest(run / "last"), recorder)
    assert found.result.checkpoint != newest
    assert any(text.startswith("warning: ") and newest in text for text in recorder.notices)


def test_an_interruption_writes_nothing(run):
    stopping = Interrupter("questions", 1, signal.SIGTERM)
    with interrupted() as caught:
        evaluate_run(EvaluationRequest(run), stopping)
    assert caught.value.exit_code == 143
    assert not (run / "evaluations").exists()
    evaluate_run(EvaluationRequest(run), Observer())
    assert (run / "evaluations" / "validation").is_dir()


def test_a_result_is_shown_before_it_is_saved_and_where_it_cannot_be_saved(run):
    shown = []

    class Watcher(Recorder):
        def evaluated(self, evaluation):
            shown.append((evaluation.result, (run / "evaluations").exists()))

    recorder = Watcher()
    with read_only(run):
        found, folder = evaluate_run(EvaluationRequest(run), recorder)
    assert folder is None
    assert shown == [(found.result, False)]
    assert any("Read-only file system: what is found is shown" in one for one in recorder.notices)
    again, folder = evaluate_run(EvaluationRequest(run), recorder)
    assert shown[1:] == [(again.result, False)]
    assert (folder / "evaluation.json").is_file()


def test_a_full_disk_costs_the_file_and_not_the_result(run, tmp_path):
    recorder = Recorder()
    with small_disk(tmp_path / "disk", "16m") as disk:
        copy = shutil.copytree(run, disk / "run")
        (disk / "filling").write_bytes(b"x" * shutil.disk_usage(disk).free)
        found, folder = evaluate_run(EvaluationRequest(copy), recorder)
    assert folder is None and len(found.answers) == 32
    assert any("the result is not saved: No space left" in one for one in recorder.notices)
