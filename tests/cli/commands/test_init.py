"""From a table and a folder to a configuration that trains as it is."""

import os
import pty
import subprocess
import sys
import tomllib

import pytest

from latentvqa.config import load_config
from tests.small_runs import ROOT, write_images, write_rows

FOREIGN = [(f"{n % 4}", f"which colour {n}?", "red" if n % 2 else "blue") for n in range(80)]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "photos", 4)
    write_rows(tmp_path / "t.csv", FOREIGN, "img_id,Frage,Antwort")
    return tmp_path


def test_the_written_file_trains_as_it_is(cli, place):
    done = cli("init", "t.csv", "photos")
    assert (done.code, done.err) == (0, "")
    assert "image     column img_id" in done.out and "answer    column Antwort" in done.out
    assert done.out.endswith(
        "next\n  latentvqa train --config run.toml --dry-run\n"
        "  latentvqa train --config run.toml\n  "
        "latentvqa predict runs/run PICTURE --question TEXT --html answers.html\n"
    )
    config = load_config(place / "run.toml")
    assert config.data.columns == {"image": "img_id", "question": "Frage", "answer": "Antwort"}
    assert config.data.images == place / "photos"
    written = tomllib.loads((place / "run.toml").read_text())
    assert written["data"]["train"] == "t.csv"
    brief = ("--set", "stages.warmup=1", "--set", "stages.full=1", "--set", "run.max_minutes=1")
    done = cli("train", "--config", "run.toml", *brief)
    assert done.code == 0, done.err
    assert (place / "runs" / "run" / "report.html").is_file()


def test_an_earlier_file_stays_unless_it_is_to_be_replaced(cli, place):
    (place / "run.toml").write_text("kept")
    assert "there already" in cli("init", "t.csv", "photos").err
    assert (place / "run.toml").read_text() == "kept"
    assert cli("init", "t.csv", "photos", "--overwrite").code == 0
    assert cli("init", "t.csv", "photos", "--out", "t.csv", "--overwrite").code == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--val", "none.csv"], "none.csv: no such table"),
        (["--val", "photos"], "photos: is a folder"),
        (["--val", "t.csv", "--val-images", "none"], "none: no such folder"),
    ],
)
def test_validation_data_that_are_not_there_are_told_and_nothing_is_written(
    cli, place, options, told
):
    done = cli("init", "t.csv", "photos", *options)
    assert done.code == 1 and told in done.err
    assert not (place / "run.toml").exists()


def test_a_folder_whose_name_is_no_text_is_told_and_nothing_is_written(cli, place):
    folder = place / os.fsdecode(b"bad\xff")
    folder.mkdir()
    (place / "t.csv").rename(folder / "t.csv")
    done = cli("init", folder / "t.csv", "photos")
    assert done.code == 2 and "no text in UTF-8" in done.err
    assert not (place / "run.toml").exists()


def test_the_file_can_be_read_whatever_a_missing_image_is_called(cli, place):
    rows = [*FOREIGN, ("x\x1b[31m\x01\u2028.png", "which?", "red")]
    write_rows(place / "t.csv", rows, "img_id,Frage,Antwort")
    assert cli("init", "t.csv", "photos").code == 0
    assert load_config(place / "run.toml").data.on_bad_image == "skip"


def test_images_that_are_not_there_are_counted_and_left_out(cli, place):
    rows = [*FOREIGN, ("9.png", "which?", "red")]
    write_rows(place / "t.csv", rows, "img_id,Frage,Antwort")
    done = cli("init", "t.csv", "photos")
    assert "1 image not in the folder, as 9.png: their questions are left out" in done.out
    assert load_config(place / "run.toml").data.on_bad_image == "skip"


def test_columns_that_nothing_reads_are_named_in_one_line(cli, place):
    assert "unused" not in cli("init", "t.csv", "photos").out
    rows = [(*row, "x", "y") for row in FOREIGN]
    write_rows(place / "t.csv", rows, "img_id,Frage,Antwort,source,split")
    assert "\nunused    source, split\n" in cli("init", "t.csv", "photos", "--overwrite").out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["none.csv", "photos"], 1, "no such table"),
        (["t.csv", "none"], 1, "no such folder"),
        (["bare.csv", "photos"], 1, "row 1 is a row of the table, for '0.png' is an image"),
        (["semicolons.csv", "photos"], 1, "separated by semicolons"),
        (["two.csv", "photos"], 1, "which column is the question? Say it, as --column question="),
        (["elsewhere.csv", "photos"], 1, "none of its 1 image is in photos"),
        (["t.csv", "photos", "--preset", "photo"], 2, "no such preset. Did you mean"),
        (["t.csv", "photos", "--column", "imge=img_id"], 2, "is not a column of a question table"),
    ],
)
def test_what_cannot_be_used_is_told_with_what_to_write(cli, place, arguments, code, told):
    write_rows(place / "bare.csv", [("1.png", "who?", "x")], "0.png,what?,y")
    write_rows(place / "semicolons.csv", [("1.png;who?;x",)], "image;question;answer")
    two = [("1.png", "who is it?", "ai đó?", "x"), ("2.png", "what is it?", "gì đó?", "y")]
    write_rows(place / "two.csv", two, "image,question_en,question_vi,answer")
    write_rows(place / "elsewhere.csv", [("77.jpg", "who?", "x")])
    done = cli("init", *arguments)
    assert done.code == code and told in done.err, done.err
    assert not (place / "run.toml").exists()
    if "two.csv" in arguments:
        assert cli("init", *arguments, "--yes").code == 0


def test_on_a_terminal_the_open_column_is_asked_for(place):
    two = [("1.png", "who is it?", "ai đó?", "x"), ("2.png", "what is it?", "gì đó?", "y")]
    write_rows(place / "two.csv", two, "image,question_en,question_vi,answer")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "latentvqa", "init", "two.csv", "photos"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        os.close(theirs)
        shown = b""
        while b"Number" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, b"3\n")
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, shown
    assert "Which column is the question?" in shown.decode() and "3  question_vi" in shown.decode()
    assert "question  column question_vi" in out


def test_vietnamese_is_recognised(cli, place):
    asked = ["con mèo màu gì", "có mấy chiếc xe trên đường", "cái gì ở trên bàn", "họ đang ở đâu"]
    rows = [
        (str(n % 4), asked[n % 4], ("đen", "hai", "cốc", "phố")[n % 4], n % 4) for n in range(40)
    ]
    write_rows(
        place / "v.csv", [tuple(map(str, row)) for row in rows], "img_id,question,answer,type"
    )
    done = cli("init", "v.csv", "photos", "--out", "v.toml")
    assert done.code == 0, done.err
    config = load_config(place / "v.toml")
    assert config.text.language == "vi"
    assert config.data.columns == {"image": "img_id"}
    assert "4 question types" in done.out
