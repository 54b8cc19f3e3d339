"""The tables of a run, found again from its folder."""

import json
import shutil

import pytest

from latentvqa.data.tables import read_questions
from latentvqa.engine.runs.folder import read_config, write_config
from latentvqa.engine.runs.tables import (
    read_training_answers,
    training_table,
    validation_table,
    write_training_answers,
)
from latentvqa.errors import CheckpointError
from latentvqa.sums import replace_summed
from tests.small_runs import questions, small_config, write_images, write_rows


def rows_of(table):
    return set(table.rows.tolist())


def test_both_sides_of_a_split_make_up_the_table_and_share_no_image(finished):
    train, val = training_table(finished.run), validation_table(finished.run / "best")
    data = read_config(finished.run).data
    whole = read_questions(data.train, images=data.images)
    assert rows_of(train) | rows_of(val) == rows_of(whole)
    assert not rows_of(train) & rows_of(val)
    assert not set(train.image_names) & set(val.image_names)
    assert len(val) == finished.recorder.plans[0].val_questions


@pytest.fixture
def own(tmp_path):
    """A run on tables of one's own, of which only the configuration is there."""
    for name, count in (("train", 3), ("val", 2)):
        write_images(tmp_path / name, count)
        write_rows(tmp_path / f"{name}.csv", questions(count), "picture,question,answer")
    config = small_config(f"data.train={tmp_path}/train.csv", f"data.images={tmp_path}/train")
    config = config.replace("data", scenes=None, columns={"image": "picture"})
    (tmp_path / "run").mkdir()
    return tmp_path / "run", config


def test_a_validation_table_is_read_with_its_own_images_and_the_runs_columns(own):
    run, config = own
    places = {"val": run.parent / "val.csv", "val_images": run.parent / "val"}
    write_config(run, config.replace("data", **places))
    assert len(validation_table(run)) == 2 * 4 and len(training_table(run)) == 3 * 4
    assert {path.parent.name for path in validation_table(run).image_paths} == {"val"}


def test_without_images_of_its_own_a_validation_table_uses_those_of_the_training(own):
    run, config = own
    write_config(run, config.replace("data", val=run.parent / "val.csv"))
    assert {path.parent.name for path in validation_table(run).image_paths} == {"train"}


def test_a_run_without_a_table_says_what_to_give_instead(own):
    run, config = own
    write_config(run, config.replace("data", train=None))
    with pytest.raises(CheckpointError, match="no table is named there; give --data and --images"):
        validation_table(run)


def test_training_answers_are_counted_normalised_the_most_frequent_first(tmp_path):
    images = write_images(tmp_path / "images", 1)
    asked = [("0.png", f"what {place}?", text) for place, text in enumerate(["no", "Yes.", "yes"])]
    table = read_questions(write_rows(tmp_path / "t.csv", asked), images=images)
    write_training_answers(tmp_path, table, "")
    assert list(read_training_answers(tmp_path).items()) == [("yes", 2), ("no", 1)]


@pytest.mark.parametrize("content", ["[1]", '{"a": ', '{"a": "b"}', None])
def test_training_answers_that_cannot_be_read_are_none(finished, tmp_path, content):
    run = shutil.copytree(finished.run, tmp_path / "run")
    known = json.loads((run / "answers.json").read_text())
    assert read_training_answers(run / "last") == known["answers"]
    (run / "answers.json").unlink()
    if content is not None:
        replace_summed({run / "answers.json": content.encode()})
    assert read_training_answers(run) is None


def test_training_answers_of_an_earlier_version_are_the_counts_alone(tmp_path):
    (tmp_path / "answers.json").write_text('{"schema": 7, "yes": 2}')  # two answers
    assert read_training_answers(tmp_path) == {"schema": 7, "yes": 2}


def test_training_answers_of_a_newer_version_are_refused(tmp_path):
    held = {"schema": 2, "answers": {"yes": 2}}
    replace_summed({tmp_path / "answers.json": json.dumps(held).encode()})
    with pytest.raises(CheckpointError, match=r"answers\.json: written by a newer LatentVQA"):
        read_training_answers(tmp_path)


def test_a_table_that_has_changed_since_is_refused_at_its_place(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    table = run / "data" / "questions.csv"
    text = table.read_text()
    table.write_text(text.replace("yes", "yea", 1))
    for read in (validation_table, training_table):
        with pytest.raises(CheckpointError, match=r"questions\.csv: has changed since"):
            read(run)
    table.write_text(text)
    assert len(validation_table(run)) + len(training_table(run)) == 320


def test_training_writes_down_how_often_it_sees_each_answer(finished):
    counts = read_training_answers(finished.run)
    assert counts == read_training_answers(finished.run / "best")
    assert set(counts) == {"yes", "no", "circle", "square", "1", "2", "3"}
    assert sum(counts.values()) == 288
