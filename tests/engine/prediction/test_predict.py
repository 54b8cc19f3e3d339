import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentvqa.data.folders.pictures import PictureFile, find_pictures
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import PredictionSettings, predict
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import CheckpointError, ConfigError
from tests.small_runs import write_images


@pytest.fixture(scope="module")
def loaded(finished):
    return load_model(finished.run)


@pytest.fixture
def folder(tmp_path):
    root = write_images(tmp_path / "images", 3)
    write_images(root / "sub" / "deeper", 1)
    shutil.copy(root / "0.png", root / "b.PNG")
    (root / "a broken.jpg").write_bytes(b"junk")
    (root / "note.txt").write_text("no image")
    return root


ORDER = ["0.png", "1.png", "2.png", "a broken.jpg", "b.PNG", "sub/deeper/0.png"]


def asking_of(folder, asked):
    return Asking(find_pictures([folder]).pictures, asked)


def answers_of(loaded, folder, asked, **options):
    return list(predict(loaded, asking_of(folder, asked), None, PredictionSettings(**options)))


def test_every_question_is_answered_about_every_image(loaded, folder):
    asked = ["how many circles are there?", "an unknown zebra?", "日本語"]
    rows = answers_of(loaded, folder, asked)
    assert [(row.image, row.question) for row in rows] == [(i, q) for i in ORDER for q in asked]
    for row in rows:
        is_bad = row.image == "a broken.jpg"
        assert bool(row.error) is is_bad
        assert (row.confidence is None) is is_bad
        assert is_bad or 0.0 < row.confidence <= 1.0
    assert rows == answers_of(loaded, folder, asked)


def test_what_of_a_question_was_not_read_is_noted_in_its_rows(loaded, folder, finished):
    known = validation_table(finished.run).questions[0]
    limit = loaded.spec.max_question_tokens
    long = " ".join([known.split()[0]] * (limit + 3))
    asked = [known, long, "zebras?", "\u65e5\u672c\u8a9e", f"zebra {long}"]
    notes = {row.question: row.note for row in answers_of(loaded, folder, asked)}
    assert list(notes.values()) == [
        "",
        f"cut to {limit} of {limit + 3} tokens",
        "1 of 2 words unknown",
        "no known word",
        f"cut to {limit} of {limit + 4} tokens; 1 of {limit} words unknown",
    ]


def test_a_question_is_read_as_a_table_would_be(loaded, folder, finished):
    images = find_pictures([folder]).pictures[:1]
    known = validation_table(finished.run).questions[0]
    asked = [known, known.replace(" ", "\u200b \u2060") + "\ufeff"]
    plain, odd = predict(loaded, Asking(images, asked))
    assert (odd.answer, odd.confidence, odd.note) == (plain.answer, plain.confidence, "")
    assert odd.question == asked[1]


def test_the_answer_does_not_depend_on_what_else_is_asked(loaded, folder):
    alone = answers_of(loaded, folder, ["what shape is the red object?"])
    many = ["a?", "a very much longer question about nothing at all?"] * 400
    among = answers_of(loaded, folder, ["what shape is the red object?", *many])[:: 1 + len(many)]
    assert [row.answer for row in among] == [row.answer for row in alone]
    for row, other in zip(among, alone, strict=True):
        assert row.error or row.confidence == pytest.approx(other.confidence, rel=1e-3)


def test_predict_and_evaluate_agree(loaded, finished):
    table = validation_table(finished.run)
    found = evaluate(loaded, table, Observer(), run=finished.run)
    folder = finished.run / "data" / "images"
    for row in range(0, len(table), 7):
        image = folder / table.image_names[table.image_index[row]]
        (one,) = predict(loaded, Asking([PictureFile("", image)], [table.questions[row]]))
        assert one.answer == found.answers[row]
        assert one.confidence == pytest.approx(found.confidences[row], rel=1e-3)


def test_samples_share_their_probability(loaded, folder):
    rows = answers_of(loaded, folder, ["how many circles are there?"], samples=3)
    assert all(0.0 < row.confidence <= 1.0 for row in rows if not row.error)


def test_samples_are_the_same_each_time_and_whatever_else_is_asked(loaded, folder):
    asked = ["how many circles are there?"]
    alone = answers_of(loaded, folder, asked, samples=3)
    assert answers_of(loaded, folder, asked, samples=3) == alone
    among = answers_of(loaded, folder, ["what?", *asked], samples=3)[1::2]
    assert [row.answer for row in among] == [row.answer for row in alone]
    for row, other in zip(among, alone, strict=True):
        assert row.error or row.confidence == pytest.approx(other.confidence, rel=1e-3)
    assert [row.confidence for row in alone] != [
        row.confidence for row in answers_of(loaded, folder, asked)
    ]


def test_progress_is_told_and_may_stop_the_work(loaded, folder):
    class EnoughError(Exception):
        pass

    def stop(done, total):
        assert total == len(ORDER) * 640 and 0 < done <= total
        raise EnoughError

    rows = []
    with pytest.raises(EnoughError):
        rows.extend(predict(loaded, asking_of(folder, ["what?"] * 640), on_rows=stop))


def test_rows_of_a_table_are_answered_as_the_same_questions_about_every_image(loaded, folder):
    asked = ["how many circles are there?", "what shape is the red object?"]
    every = answers_of(loaded, folder, asked)
    pairs = np.array([(5, 1), (0, 0), (3, 1), (0, 1), (5, 1)])
    asking = replace(asking_of(folder, asked), pairs=pairs, ids=list("vwxyz"))
    rows = list(predict(loaded, asking))
    for row, (image, question), id_ in zip(rows, pairs.tolist(), "vwxyz", strict=True):
        same = every[2 * image + question]
        assert (row.image, row.question, row.answer) == (same.image, same.question, same.answer)
        assert row.error == same.error and row.asked.id == id_
        assert row.error or row.confidence == pytest.approx(same.confidence, rel=1e-3)


def test_any_part_of_the_rows_is_answered_alike(loaded, folder):
    asking = asking_of(folder, [f"how many circles {number}?" for number in range(300)])
    whole = list(predict(loaded, asking))
    part = list(predict(loaded, asking, range(250, 1000)))
    assert [(row.image, row.question, row.answer) for row in part] == [
        (row.image, row.question, row.answer) for row in whole[250:1000]
    ]


def test_many_pictures_are_answered_in_parts(loaded, tmp_path):
    folder = write_images(tmp_path / "many", 1)
    for number in range(1, 300):
        shutil.copy(folder / "0.png", folder / f"{number:03}.png")
    told = []
    rows = list(
        predict(loaded, asking_of(folder, ["what?"]), on_rows=lambda *count: told.append(count))
    )
    assert len({row.answer for row in rows}) == 1 and len(rows) == 300
    assert told == [(128, 300), (256, 300), (300, 300)]


def test_pictures_are_kept_small_where_they_are_wanted(loaded, tmp_path):
    Image.new("RGB", (3000, 1500), "red").save(tmp_path / "large.png")
    (row,) = answers_of(loaded, tmp_path, ["what?"], keeps_pictures=True)
    assert row.picture.size == (1024, 512)
    (row,) = answers_of(loaded, tmp_path, ["what?"])
    assert row.picture is None


def test_a_checkpoint_needs_nothing_beside_it(finished, tmp_path, monkeypatch):
    name = (finished.run / "last").read_text().strip()
    alone = shutil.copytree(finished.run / "checkpoints" / name, tmp_path / "alone")
    monkeypatch.chdir(tmp_path)
    folder = write_images(tmp_path / "images", 1)
    (row,) = answers_of(load_model(alone), folder, ["how many?"])
    assert row.error == ""


def test_what_cannot_be_loaded_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="no run folder with checkpoints here"):
        load_model(tmp_path)


def test_a_device_that_is_not_there_is_told(finished):
    with pytest.raises(ConfigError, match=r'"frog" cannot be used here: .*Use "auto" or "cpu"'):
        load_model(finished.run, "frog")


def test_a_file_name_need_not_be_text(loaded, folder):
    shutil.copy(folder / "0.png", os.fsencode(folder) + b"/\xff.png")
    rows = answers_of(loaded, folder, ["what?"])
    assert rows[-1].image == "\udcff.png" and rows[-1].error == ""
