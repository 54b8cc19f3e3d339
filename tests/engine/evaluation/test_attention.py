"""The files that hold where the latent tokens attend to."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentvqa.engine.evaluation.attention import ATTENTION_FILES, _examples, write_attention
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer


@pytest.fixture(scope="module")
def found(finished):
    table = validation_table(finished.run)
    loaded = load_model(finished.run)
    return evaluate(loaded, table, Observer(), run=finished.run, latent_use="full")


def test_the_archive_holds_each_row_and_the_picture_one_line_an_image(found, tmp_path):
    write_attention(found, tmp_path)
    archive, drawing = (tmp_path / name for name in ATTENTION_FILES)
    with np.load(archive) as written:
        np.testing.assert_array_equal(written["rows"], found.table.rows)
        np.testing.assert_array_equal(written["attention"], found.examination.attention)
    with Image.open(drawing) as picture:
        picture.load()
        assert picture.height > 4 * 100  # four images, each with a question


def test_without_an_examination_nothing_is_written(found, tmp_path):
    write_attention(replace(found, examination=None), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_examples_are_about_different_images_and_not_always_their_first_question(found):
    examination = found.examination
    drawn = _examples(found, examination.rows, examination.attention)
    table = found.table
    rows = [
        next(
            row
            for row in range(len(table))
            if np.array_equal(examination.attention[row], one.attention)
            and table.questions[row] == one.question
        )
        for one in drawn
    ]
    assert len({int(table.image_index[row]) for row in rows}) == len(rows) == 4
    firsts = set(np.unique(table.image_index, return_index=True)[1].tolist())
    assert set(rows) - firsts
    assert [one.answer for one in drawn] == [found.answers[row] for row in rows]
