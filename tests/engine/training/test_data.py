import numpy as np
import pytest
from PIL import Image

from latentvqa.config import load_config
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.data import (
    first_rows,
    materialise_scenes,
    open_split,
    read_tables,
    write_split_file,
)
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import ConfigError, DataError
from latentvqa.models.vision import ImagePreparation
from tests.small_runs import (
    Interrupter,
    Recorder,
    assert_same_run,
    interrupted,
    questions,
    small_config,
    train_small,
    write_images,
    write_rows,
)


@pytest.fixture
def data(tmp_path):
    """Six images, 24 questions, as overrides of a configuration."""
    table = write_rows(tmp_path / "t.csv", questions(6))
    images = write_images(tmp_path / "images", 6)
    return [f"data.train={table}", f"data.images={images}"]


def opened(config, recorder, table=None):
    tables = read_tables(config, recorder)
    preparation = ImagePreparation(
        size=16, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), interpolation="bilinear"
    )
    tokenizers = train_tokenizers(config.text, tables.train)
    table = tables.train if table is None else table
    return open_split(config, table, tokenizers, preparation, recorder, "training")


def test_scenes_are_made_where_the_config_asks_for_them(tmp_path):
    recorder = Recorder()
    config = materialise_scenes(small_config("data.scene_images=10"), tmp_path, recorder)
    assert config.data.train == tmp_path / "questions.csv"
    assert config.data.images == tmp_path / "images"
    assert len(list((tmp_path / "images").iterdir())) == 10
    assert "making 10 easy scenes with 8 questions each" in recorder.notices[0]
    # resolved once, it is a table like any other
    assert materialise_scenes(config, tmp_path / "again", recorder) == config
    assert len(recorder.notices) == 1


def test_without_a_validation_table_images_are_held_out(data):
    tables = read_tables(load_config(overrides=[*data, "data.val_fraction=0.34"]), Recorder())
    assert (len(tables.train), len(tables.val)) == (16, 8)
    assert not set(tables.train.image_names) & set(tables.val.image_names)
    assert tables.fingerprints["train"]["rows"] == 24


def test_what_was_dropped_from_a_table_is_told_once_for_each(data, tmp_path):
    unseen = [("0.png", "is\u200b it?", "y\u00ades"), ("1.png", "is it?", "yes")]
    val = write_rows(tmp_path / "v.csv", unseen)
    table = write_rows(tmp_path / "t.csv", [*questions(6), *unseen])
    recorder = Recorder()
    tables = read_tables(load_config(overrides=[*data, f"data.val={val}"]), recorder)
    assert tables.val.questions == ["is it?", "is it?"]
    assert recorder.notices[:2] == [
        f"warning: {table}: characters that cannot be seen were dropped from 2 cells, "
        "first row 26, column 'question'",
        f"warning: {val}: characters that cannot be seen were dropped from 2 cells, "
        "first row 2, column 'question'",
    ]


def test_copies_of_an_image_are_held_out_together(data, tmp_path):
    for index in range(3):  # other bytes, the same pixels
        copied = Image.open(tmp_path / "images" / f"{index}.png")
        copied.save(tmp_path / "images" / f"{index + 3}.png", compress_level=0)
    for seed in range(5):
        recorder = Recorder()
        changes = ["data.val_fraction=0.34", f"run.seed={seed}"]
        tables = read_tables(load_config(overrides=[*data, *changes]), recorder)
        held_out = {int(name[0]) % 3 for name in tables.val.image_names}
        assert len(tables.val.image_names) == 2 and len(held_out) == 1
        assert "6 images show what another one shows, in 3 groups;" in recorder.notices[0]
    apart = load_config(overrides=[*data, *changes, "data.keep_copies_together=false"])
    assert read_tables(apart, silent := Recorder()).val and not silent.notices


def test_the_split_of_the_run_is_read_again(data, tmp_path):
    first = read_tables(load_config(overrides=data), Recorder())
    write_split_file(tmp_path, first)
    other_seed = load_config(overrides=[*data, "run.seed=7", "data.val_fraction=0.5"])
    again = read_tables(other_seed, Recorder(), tmp_path / "split.csv")
    assert again.val.image_names == first.val.image_names


def test_a_validation_table_that_shares_images_is_warned_about(data, tmp_path):
    val = write_rows(tmp_path / "v.csv", questions(3))
    recorder = Recorder()
    tables = read_tables(load_config(overrides=[*data, f"data.val={val}"]), recorder)
    assert len(tables.val) == 12
    assert recorder.notices == [
        "warning: 100 % of the validation questions are about images that are also trained on; "
        "the score will flatter the model"
    ]


def test_a_validation_table_may_have_images_of_its_own(data, tmp_path):
    val = write_rows(tmp_path / "v.csv", questions(3))
    other = write_images(tmp_path / "other", 3)
    recorder = Recorder()
    config = load_config(overrides=[*data, f"data.val={val}", f"data.val_images={other}"])
    assert read_tables(config, recorder).val.image_paths[0].parent == other
    assert recorder.notices == []
    assert set(read_tables(config, recorder).fingerprints) == {"train", "val"}


def test_bad_images_are_an_error_that_lists_them(data, tmp_path):
    (tmp_path / "images" / "2.png").write_bytes(b"not an image")
    (tmp_path / "images" / "4.png").unlink()
    config = load_config(overrides=[*data, "data.val_fraction=0.01", "run.seed=1"])
    with pytest.raises(DataError) as caught:
        opened(config, Recorder())
    message = str(caught.value)
    assert "2 of 5 images cannot be used" in message
    assert "row 10 and 3 more" in message and "2.png: not an image" in message
    assert "4.png: no such file" in message
    assert 'data.on_bad_image = "skip"' in message


def test_bad_images_are_dropped_and_counted_where_that_is_wanted(data, tmp_path):
    (tmp_path / "images" / "2.png").write_bytes(b"not an image")
    recorder = Recorder()
    changes = ["data.val_fraction=0.01", "run.seed=1", "data.on_bad_image=skip"]
    split = opened(load_config(overrides=[*data, *changes]), recorder)
    assert len(split.encoded) == 16 and len(split.store) == 4
    assert recorder.notices[0].startswith("warning: skipped 1 bad training image with 4 questions")


def test_cut_texts_are_counted(data):
    changes = ["text.max_question_tokens=1", "text.max_answer_tokens=1"]
    recorder = Recorder()
    opened(load_config(overrides=[*data, *changes]), recorder)
    assert recorder.notices == [
        "warning: 20 of 20 training rows cut, longer than text.max_question_tokens = 1"
    ]


def test_the_vocabulary_is_that_of_the_training_side(data):
    config = load_config(overrides=data)
    tables = read_tables(config, Recorder())
    tokenizers = train_tokenizers(config.text, tables.train)
    known = tokenizers.answer.encode(["yes", "no"])
    assert known[0] != known[1]
    assert tokenizers.answer.decode(known[0]) == "yes"


# Which questions come first.

FIRST = ('data.first_types=["shape", "left"]', "data.first_epochs=2")


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    return train_small(tmp_path_factory.mktemp("staged") / "run", *FIRST)


def test_the_first_epochs_ask_the_named_types_alone(staged):
    rows = [record.train.rows for record in staged.outcome.records]
    assert rows == [144, 144, 288, 288]  # two of the four families of the easy scenes
    entropies = [record.train.answer_entropy for record in staged.outcome.records]
    assert entropies[0] == pytest.approx(2 * np.log(2), abs=0.05)  # circle, square, yes, no
    assert entropies[0] < entropies[2] == entropies[3]


def test_validation_always_asks_everything(staged):
    assert {record.val.rows for record in staged.outcome.records} == {32}


def test_an_interrupted_run_resumes_its_order_of_questions(staged, tmp_path):
    run = tmp_path / "run"
    with interrupted():
        train(small_config(*FIRST), run, Interrupter("epoch 1", 2))
    resume(run, None, Observer())
    assert_same_run(run, staged.run)


def test_the_chosen_rows_are_those_of_the_types(finished):
    table = validation_table(finished.run)
    data = small_config('data.first_types=["top"]', "data.first_epochs=1").data
    rows = first_rows(data, table)
    assert {table.types[row] for row in rows} == {"top"}
    assert len(rows) == table.types.count("top")


def test_unknown_types_are_named_beside_the_known_ones(finished):
    data = small_config('data.first_types=["colour", "top"]', "data.first_epochs=1").data
    with pytest.raises(DataError, match=r"the type 'colour' in .*It has 'count', 'left'"):
        first_rows(data, validation_table(finished.run))


@pytest.mark.parametrize(
    ("given", "missing"),
    [('data.first_types=["a"]', "data.first_epochs"), ("data.first_epochs=3", "data.first_types")],
)
def test_one_key_without_the_other_is_a_fault(given, missing):
    with pytest.raises(ConfigError, match=f"{missing}.*is missing"):
        load_config(None, overrides=["data.scenes=easy", given])
