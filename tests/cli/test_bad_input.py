"""Each row of the design's table of bad input, as a user meets it."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentvqa.history import LOG_NAME
from tests.small_runs import (
    questions,
    read_csv,
    records_of,
    small_overrides,
    spoil_weights,
    write_images,
    write_rows,
)


@pytest.fixture
def train(cli, tmp_path, monkeypatch):
    """Train on a table of ones own with six images; extra options may follow."""
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images", 6)

    def run(rows=None, *options, content=None, name="t.csv"):
        if rows is not None:
            write_rows(tmp_path / name, rows)
        elif content is not None:
            (tmp_path / name).write_bytes(content)
        own = small_overrides("stages.warmup=1", "stages.full=1")
        own = [text for text in own if not text.startswith("data.")]
        own += [f"data.train={tmp_path / name}", f"data.images={tmp_path / 'images'}"]
        sets = [part for text in [*own, *options] for part in ("--set", text)]
        return cli("train", *sets, "--out", tmp_path / "run")

    return run


def refused(done, folder, *told):
    assert done.code == 1
    for text in told:
        assert text in done.err
    assert not (folder / "run").exists()
    return done.err


def spoil_images(folder):
    """Five of six images: missing, no image, truncated, oversized, empty."""
    (folder / "0.png").unlink()
    (folder / "1.png").write_bytes(b"no image")
    whole = (folder / "2.png").read_bytes()
    (folder / "2.png").write_bytes(whole[: len(whole) // 2])
    Image.new("1", (30_000, 3_000)).save(folder / "3.png")
    (folder / "4.png").write_bytes(b"")


def test_bad_images_are_listed_with_their_rows_and_the_total(train, tmp_path):
    rows = [*questions(6), ("nowhere.png", "q", "a")]
    spoil_images(tmp_path / "images")
    message = refused(
        train(rows, "data.val_fraction=0.01", "run.seed=2"), tmp_path, "t.csv: ", "on_bad_image"
    )
    assert "of 6 images cannot be used" in message
    for told in ("0.png: no such file", "1.png: not an image", "3.png: cannot be decoded: 30000 x"):
        assert told in message
    assert message.count(" and 3 more: ") >= 4


def test_at_most_ten_bad_images_are_listed(train, tmp_path):
    rows = questions(6) + [(f"missing {index}.png", "q", "yes") for index in range(20)]
    message = refused(train(rows, "data.val_fraction=0.01"), tmp_path)
    assert message.count("no such file") == 10
    assert "and 10 more" in message or "and 9 more" in message


def test_bad_images_are_dropped_where_that_is_wanted(train, tmp_path):
    (tmp_path / "images" / "2.png").write_bytes(b"no image")
    rows = questions(6)
    done = train(rows, "data.on_bad_image=skip", "data.val_fraction=0.4")
    assert done.code == 0
    assert "skipped 1 bad" in done.err and "image with 4 questions" in done.err
    record = records_of(tmp_path / "run")[0]
    assert record["train"]["rows"] + record["val"]["rows"] == 20
    header = json.loads((tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    skipped = header["data"]["skipped"]
    assert sum(side.get("images", 0) for side in skipped.values()) == 1
    assert sum(side.get("questions", 0) for side in skipped.values()) == 4


def odd_images(folder):
    folder.mkdir()
    colours = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (32, 24, 3), dtype=np.uint8)
    )
    colours.convert("CMYK").save(folder / "cmyk.jpg")
    colours.convert("P").save(folder / "palette.png")
    colours.convert("RGBA").save(folder / "alpha.png")
    colours.convert("L").save(folder / "grey.png")
    Image.fromarray(np.full((32, 24), 32_000, dtype=np.uint16)).save(folder / "deep.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    colours.save(folder / "turned.jpg", exif=turned)
    colours.save(folder / "animated.gif", save_all=True, append_images=[colours.rotate(90)])
    return folder


def test_images_of_every_kind_are_answered_and_trained_on(cli, finished, tmp_path, train):
    folder = odd_images(tmp_path / "odd")
    done = cli("predict", finished.run, folder, "--question", "what?")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert (done.code, len(rows)) == (0, 7)
    assert all(row["error"] == "" for row in rows)
    for path in folder.iterdir():
        shutil.copy(path, tmp_path / "images")
    kinds = [(path.name, "what?", "yes") for path in folder.iterdir()]
    assert train([*questions(6), *kinds]).code == 0


@pytest.mark.parametrize("name", ["../out.png", "{folder}/out.png", "link.png"])
def test_an_image_outside_the_folder_is_refused_unless_allowed(train, tmp_path, name):
    shutil.copy(tmp_path / "images" / "0.png", tmp_path / "out.png")
    (tmp_path / "images" / "link.png").symlink_to(tmp_path / "out.png")
    rows = [*questions(6), (name.format(folder=tmp_path), "q", "yes")]
    refused(train(rows), tmp_path, "row 26, column 'image'", "data.allow_outside = true")
    assert train(rows, "data.allow_outside=true").code == 0


HEAD = b"image,question,answer\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", ["empty"]),
        (HEAD, ["no rows"]),
        (b"image,question\n0.png,q\n", ["no column 'answer'"]),
        (b"image,question,answer,answer\n0.png,q,a,b\n", ["'answer'", "twice"]),
        (HEAD + b"0.png,caf\xe9,a\n", ["row 2", "UTF-8"]),
        (HEAD + b'0.png,"torn,a\n1.png,q,a\n', ["row 2, column 2", "quote"]),
        (HEAD + b"0.png,q,a\n1.png, ,a\n", ["row 3, column 'question'", "blank"]),
        (HEAD + b"0.png,q,\n", ["row 2, column 'answer'", "blank"]),
        (HEAD + b",q,a\n", ["row 2, column 'image'", "blank"]),
        (HEAD + b"0.png,q,a,b\n", ["row 2, after column 'answer'"]),
    ],
)
def test_a_table_fault_names_file_row_and_column(train, tmp_path, content, told):
    refused(train(content=content), tmp_path, f"error: {tmp_path / 't.csv'}: ", *told)


def test_other_tables_name_their_faults_too(train, tmp_path):
    done = train(content=b'{"image": "0.png", "question": "q"', name="t.jsonl")
    refused(done, tmp_path, "t.jsonl: ", "row 1")
    refused(train(content=b"PAR1junk", name="t.parquet"), tmp_path, "t.parquet: ", "Parquet")
    refused(train(content=b"junk", name="t.xlsx"), tmp_path, "suffix '.xlsx'")
    refused(train(name="none.csv"), tmp_path, "none.csv: no such table")


def test_answers_that_look_like_nothing_stay_as_they_are(train, tmp_path):
    words = ("None", "NA", "null", "01", "nan", "TRUE")
    rows = [
        (f"{image}.png", f"what {index}?", word)
        for image in range(6)
        for index, word in enumerate(words)
    ]
    assert train(rows).code == 0
    predictions = read_csv(tmp_path / "run" / "evaluations" / "validation" / "predictions.csv")
    assert {row["reference"] for row in predictions} == set(words)


def test_an_automatic_split_never_shares_images_and_a_given_one_is_warned_about(train, tmp_path):
    done = train(questions(6), "data.val_fraction=0.5")
    assert done.code == 0 and "flatter" not in done.err
    val = write_rows(tmp_path / "v.csv", [*questions(1), ("9.png", "q", "a")])
    shutil.copy(tmp_path / "images" / "0.png", tmp_path / "images" / "9.png")
    shutil.rmtree(tmp_path / "run")
    done = train(questions(6), f"data.val={val}")
    assert done.code == 0
    assert "warning: 80 % of the validation questions are about images" in done.err


def test_a_loss_that_is_not_finite_is_told_with_term_epoch_and_step(cli, finished, tmp_path):
    run = Path(shutil.copytree(finished.run, tmp_path / "run"))
    spoil_weights(run, "bottleneck.mu.weight", 1e38)
    last = (run / "last").read_text()
    done = cli("train", "--resume", run, "--set", "stages.full=4")
    assert done.code == 1
    line = done.err.strip().splitlines()[-1]
    assert line.startswith("error: answer_loss, kl_after")
    assert "became NaN or infinite in epoch 4 at step 36, in a batch of rows " in line
    assert "last good checkpoint stays" in line
    assert (run / "last").read_text() == last


def without_sums(text):
    """A log as the first version wrote it."""
    return re.sub(r',"sum":"[0-9a-f]+"}', "}", text).replace('"schema":2', '"schema":1')


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[:-40], "cut in the middle"),
        (lambda text: text.replace('"answer_loss"', '"answer_lost"', 1), "Line 2 is damaged"),
        (lambda text: text.partition("\n")[2], "convention is assumed"),
        (lambda text: without_sums(text).replace('"kl_raw"', '"kl_row"'), ""),
    ],
    ids=["torn", "damaged", "no header", "missing columns"],
)
def test_a_faulty_log_is_read_up_to_the_fault_and_the_verdict_says_so(
    cli, finished, tmp_path, damage, told
):
    log = tmp_path / LOG_NAME
    log.write_text(damage((finished.run / LOG_NAME).read_text()))
    done = cli("diagnose-kl", log)
    assert done.code == 0
    assert told in re.sub(r"[│\s]+", " ", done.out)
    assert json.loads(cli("diagnose-kl", log, "--format", "json").out)["verdict"]["level"]


def test_a_log_without_anything_is_refused(cli, tmp_path):
    (tmp_path / LOG_NAME).write_text("hello\n")
    done = cli("diagnose-kl", tmp_path)
    assert done.code == 1 and "holds no header and no epoch" in done.err


def test_a_bad_image_to_predict_is_a_row_with_its_error(cli, finished, tmp_path):
    folder = write_images(tmp_path / "images", 6)
    spoil_images(folder)
    done = cli("predict", finished.run, folder, "--question", "what?")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.code == 0
    assert [bool(row["error"]) for row in rows] == [True, True, True, True, False]
    assert done.err.startswith("5 rows, 4 with errors")


def test_a_name_in_a_message_cannot_steer_the_terminal(cli, tmp_path):
    done = cli("diagnose-kl", tmp_path / "no\x1b[31m\u202ered")
    assert done.code == 1
    assert "no\\x1b[31m\\u202ered" in done.err
    assert "\x1b" not in done.err
