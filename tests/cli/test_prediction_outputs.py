"""Rows, a page and pictures of the attention, written together."""

import csv
import io
import json
import os
import signal
import time

import pytest

from tests.browser import CHROMIUM, NO_BROWSER, opened
from tests.small_runs import write_images, write_rows

PAIRS = ("--column", "image=img", "--column", "id=qid")


@pytest.fixture
def pairs(tmp_path):
    write_images(tmp_path / "images", 2)
    (tmp_path / "images" / "2.png").write_bytes(b"junk")
    rows = [(f"{n % 3}.png", f"how many circles {n}?", f"q{n}", "2") for n in range(700)]
    write_rows(tmp_path / "t.csv", rows, "img,question,qid,answer")
    return ("--pairs", tmp_path / "t.csv", *PAIRS)


def test_a_page_is_written_in_place_of_the_rows_or_beside_them(cli, finished, pairs, tmp_path):
    images, page = tmp_path / "images", tmp_path / "a.html"
    done = cli("predict", finished.run, images, *pairs, "--html", page)
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(f"in {page}\n") and done.err.startswith("700 rows, 233 with errors")
    assert "how many circles 699?" in page.read_text(encoding="utf-8")
    assert "there already" in cli("predict", finished.run, images, *pairs, "--html", page).err
    both = ("--out", tmp_path / "a.csv", "--html", page, "--overwrite")
    done = cli("predict", finished.run, images, *pairs, *both)
    assert done.err.endswith(f"in {tmp_path / 'a.csv'} and {page}\n")


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_the_page_of_resumed_work_is_that_of_one_work(cli, finished, pairs, tmp_path, name):
    asked = ("predict", finished.run, tmp_path / "images", *pairs, "--top", 3)
    whole = tmp_path / "whole.html"
    assert cli(*asked, "--out", tmp_path / f"whole {name}", "--html", whole).code == 0
    out = ("--out", tmp_path / name, "--html", tmp_path / "out.html")

    def stop(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("latentvqa.cli.console.NoticeObserver.progress", stop)
        assert cli(*asked, *out).code == 143
    assert not (tmp_path / "out.html").exists()
    done = cli(*asked, *out, "--resume")
    assert done.code == 0, done.err
    assert (tmp_path / "out.html").read_text() == whole.read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--html", "a.html", "--resume"), "name it by --out"),
        (("--html", "a.html", "--resume", "--out", "a.json"), "drop --resume or --html"),
    ],
)
def test_what_cannot_be_done_together_is_refused(cli, finished, pairs, tmp_path, options, told):
    done = cli("predict", finished.run, tmp_path / "images", *pairs, *options)
    assert done.code == 2 and told in done.err


def test_every_output_holds_the_same(cli, finished, pairs, tmp_path):
    asked = ("predict", finished.run, tmp_path / "images", *pairs, "--top", 2)
    rows = list(csv.DictReader(io.StringIO(cli(*asked).out)))
    cli(*asked, "--out", tmp_path / "a.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(row["id"], row["answer"], row["answer_2"]) for row in rows] == [
        (line["id"], line["answer"], line["others"][0]["answer"] if line["others"] else "")
        for line in lines
    ]


@pytest.mark.heavy
@pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)
def test_a_person_sees_the_answers_and_which_are_right(cli, finished, pairs, tmp_path):
    page = tmp_path / "a.html"
    cli("predict", finished.run, tmp_path / "images", *pairs, "--html", page)
    with opened(page.as_uri()) as shown:
        text = shown.inner_text("body")
    assert "700 answers about 3 images" in text and "233 errors" in text
    assert "not an image" in text
