import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from latentvqa.engine.prediction.answerer import BatchAnswerer
from tests.cli.asked_pictures import ASKED, folder
from tests.small_runs import (
    BRIEF,
    ROOT,
    handles_signals,
    read_csv,
    start_cli,
    train_small,
    wait_until,
)

__all__ = ["folder"]

ORDER = ["0.png", "1.png", "broken.jpg", "sub/ü é.PNG"]
COUNTED = "8 rows, 2 with errors, 8 whose question was cut or has words that training never had"
QUESTIONS = [part for text in ASKED for part in ("--question", text)]


def test_csv_goes_to_stdout_and_the_count_to_stderr(cli, finished, folder):
    done = cli("predict", finished.run, folder, *QUESTIONS)
    assert done.code == 0
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["image"], row["question"]) for row in rows] == [
        (image, question) for image in ORDER for question in ASKED
    ]
    for row in rows:
        is_bad = row["image"] == "broken.jpg"
        assert bool(row["error"]) is is_bad
        assert (row["confidence"] == "") is is_bad
        assert is_bad or 0.0 < float(row["confidence"]) <= 1.0
    assert done.err.strip() == COUNTED


def test_files_hold_the_same_as_stdout(cli, finished, folder, tmp_path):
    shown = list(csv.DictReader(io.StringIO(cli("predict", finished.run, folder, *QUESTIONS).out)))
    for name in ("out.csv", "OUT.JSONL"):
        done = cli("predict", finished.run, folder, *QUESTIONS, "--out", tmp_path / name)
        assert (done.code, done.out) == (0, "")
        assert done.err.strip() == f"{COUNTED}, in {tmp_path / name}"
    assert read_csv(tmp_path / "out.csv") == shown
    lines = [json.loads(line) for line in (tmp_path / "OUT.JSONL").read_text().splitlines()]
    assert [line["answer"] for line in lines] == [row["answer"] for row in shown]
    bad = next(line for line in lines if line["error"])
    assert bad["confidence"] is None and "not an image" in bad["error"]


def test_pictures_show_where_the_latent_tokens_look(cli, finished, folder, tmp_path):
    awkward = ["$x_{$ or $5?", "日本語?"]
    asked = [part for text in awkward for part in ("--question", text)]
    done = cli("predict", finished.run, folder, *asked, "--explain", tmp_path / "why")
    assert done.code == 0
    assert done.err.strip() == COUNTED
    written = sorted(path for path in (tmp_path / "why").rglob("*") if path.is_file())
    assert [path.relative_to(tmp_path / "why").as_posix() for path in written] == [
        f"{name}.png" for name in ORDER if name != "broken.jpg"
    ]
    for path in written:
        with Image.open(path) as picture:
            assert picture.width > picture.height > 200  # two questions, an image and six maps


def test_a_model_without_latent_tokens_has_nothing_to_explain(cli, folder, tmp_path):
    run = train_small(tmp_path / "run", *BRIEF, "latent.bottleneck=none").run
    (tmp_path / "old.csv").write_text("kept")
    done = cli(
        *("predict", run, folder, "--question", "what?"),
        *("--explain", tmp_path / "why", "--out", tmp_path / "old.csv", "--overwrite"),
    )
    assert (done.code, done.out) == (2, "")
    assert (tmp_path / "old.csv").read_text() == "kept"
    assert "answers without latent tokens" in done.err
    assert not (tmp_path / "why").exists()


def test_questions_come_from_options_and_a_file(cli, finished, folder, tmp_path):
    (tmp_path / "q.txt").write_text("¿cuántos?\n\n", encoding="utf-8")
    done = cli(
        "predict", finished.run, folder, "--questions", tmp_path / "q.txt", "--question", "first?"
    )
    asked = [row["question"] for row in csv.DictReader(io.StringIO(done.out))]
    assert asked[:2] == ["first?", "¿cuántos?"]


def test_other_likely_answers_stand_beside_the_answer(cli, finished, folder, tmp_path):
    plain = list(csv.DictReader(io.StringIO(cli("predict", finished.run, folder, *QUESTIONS).out)))
    done = cli("predict", finished.run, folder, *QUESTIONS, "--top", 3, "--out", tmp_path / "o.csv")
    assert done.code == 0, done.err
    rows = read_csv(tmp_path / "o.csv")
    for row, known in zip(rows, plain, strict=True):
        assert {name: row[name] for name in known} == known
        answers = [row[name] for name in ("answer", "answer_2", "answer_3")]
        if row["error"]:
            assert answers == ["", "", ""]
            continue
        assert len(set(answers)) == 3
        assert float(row["confidence_2"]) >= float(row["confidence_3"]) > 0
    asked = ("--top", 3, "--out", tmp_path / "o.jsonl")
    assert cli("predict", finished.run, folder, *QUESTIONS, *asked).code == 0
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    for line, row in zip(lines, rows, strict=True):
        others = [row["answer_2"], row["answer_3"]] if not row["error"] else []
        assert [one["answer"] for one in line["others"]] == others


def test_samples_are_accepted(cli, finished, folder):
    done = cli("predict", finished.run, folder, *QUESTIONS, "--samples", 3)
    assert done.code == 0 and done.err.strip() == COUNTED


def test_every_file_is_answered_named_with_its_error_or_counted(cli, finished, folder):
    os.mkfifo(folder / "b.jpg")
    shutil.copy(folder / "0.png", folder / "no suffix")
    for name in ("note.txt", "@eaDir/0.png", ".hidden.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    done = cli("predict", finished.run, folder, "--question", "what?")
    rows = {row["image"]: row for row in csv.DictReader(io.StringIO(done.out))}
    assert list(rows) == sorted([*ORDER, "b.jpg", "no suffix"])
    assert rows["b.jpg"]["error"].endswith("b.jpg: is a pipe, not a file")
    assert rows["no suffix"]["answer"] == rows["0.png"]["answer"]
    left_out, count = done.err.strip().splitlines()
    assert left_out.startswith("no images, left out: ") and count == "6 rows, 2 with errors"
    for kind in (".txt files (1)", "files in @eaDir (1)", "hidden files (1)"):
        assert kind in left_out


def test_names_and_questions_that_are_no_text_are_shown_escaped(cli, finished, folder, tmp_path):
    shutil.copy(folder / "0.png", os.fsencode(folder) + b"/\xff.png")
    for name in ("out.csv", "out.jsonl"):
        done = cli(
            "predict", finished.run, folder, "--question", "odd \udcff?", "--out", tmp_path / name
        )
        assert done.code == 0, done.err
    assert r"\udcff.png" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    line = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(line)["image"] == "\udcff.png"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (
            ["{run}", "{none}", "--question", "q"],
            1,
            "no such picture, folder of pictures, list or archive",
        ),
        (["{run}", "{empty}", "--question", "q"], 1, "no image in it or below"),
        (["{run}", "{folder}"], 2, "nothing is asked"),
        (["{run}", "{folder}", "--question", "  "], 2, "nothing is asked"),
        (["{run}", "{folder}", "--questions", "{none}"], 1, "no such file; name one"),
        (["{none}", "{folder}", "--question", "q"], 1, "no run folder with checkpoints here"),
        (["{run}", "{folder}", "--question", "q", "--out", "{none}.txt"], 2, ".jsonl or .json"),
        (["{run}", "{folder}", "--question", "q", "--out", "{none}/x.csv"], 1, "cannot be written"),
        (["{run}", "{folder}", "--question", "q", "--device", "frog"], 2, "cannot be used here"),
        (["{run}", "{folder}", "--question", "q", "--samples", "-1"], 2, "greater than or equal"),
        (["{run}", "{folder}", "--question", "q", "--shard", "3/2"], 2, "as 2/8"),
        (["{run}", "{folder}", "--question", "q", "--resume"], 2, "name it by --out"),
        (["{run}", "{folder}", "--question", "q", "--format", "vqa"], 2, "give --pairs"),
        (["{run}", "{folder}", "--question", "q", "--column", "image=x"], 2, "give that table"),
        (["{run}", "{folder}", "--question", "q", "--pairs", "{none}"], 2, "drop --question"),
        (["{run}", "{folder}", "--pairs", "{none}"], 1, "no such table"),
        (["{run}", "{folder}", "{folder}", "--pairs", "{none}"], 2, "give the one folder"),
        (
            ["{run}", "{folder}", "--question", "q", "--answers", "{none}"],
            1,
            "holds one answer per line",
        ),
    ],
)
def test_faults_are_told_with_their_exit_code(
    cli, finished, folder, tmp_path, arguments, code, told
):
    (tmp_path / "empty").mkdir()
    known = {
        "run": finished.run,
        "folder": folder,
        "none": tmp_path / "none",
        "empty": tmp_path / "empty",
    }
    done = cli("predict", *(text.format(**known) for text in arguments))
    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_a_signal_that_an_extension_made_an_error_of_is_told(
    cli, finished, folder, tmp_path, monkeypatch
):
    def answer(*_):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except BaseException:
            raise RuntimeError("an error of the extension") from None

    monkeypatch.setattr(BatchAnswerer, "answer_pairs", answer)
    out = tmp_path / "out.csv"
    done = cli("predict", finished.run, folder, "--question", "what?", "--out", out)
    assert (done.code, out.exists()) == (143, False)
    assert done.err == "interrupted after 0 rows\n"


@pytest.mark.heavy
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_keeps_what_is_written(finished, folder, tmp_path, number, code):
    out = tmp_path / "out.csv"
    many = tmp_path / "q.txt"
    many.write_text("\n".join(f"question {i}?" for i in range(700)))
    for index in range(400):
        shutil.copy(folder / "0.png", folder / f"copy {index}.png")
    process = start_cli("predict", finished.run, folder, "--questions", many, "--out", out)

    kept = tmp_path / "out.csv.part"
    wait_until(lambda: kept.exists() and kept.stat().st_size > 10_000, process)
    assert handles_signals(process.pid)
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in err and "interrupted after" in err
    assert not out.exists() and not list(tmp_path.glob(".*"))
    rows = read_csv(shutil.copy(kept, tmp_path / "part.csv"))
    assert 0 < len(rows) < 400 * 700
    assert f"interrupted after {len(rows)} rows, kept in {kept}" in err


@pytest.mark.heavy
def test_a_reader_that_leaves_early_is_no_fault(finished, folder):
    command = [sys.executable, "-m", "latentvqa", "predict", str(finished.run), str(folder)]
    questions = [part for index in range(3000) for part in ("--question", f"{index}?")]
    with subprocess.Popen(
        [*command, *questions], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait() in (0, 1)
    assert "Traceback" not in err and "Exception ignored" not in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["photos", "what colour?"], "write --question 'what colour?'"),
        (["photos", "asked.csv"], "write --pairs asked.csv"),
        (["photos", "more"], "give --question TEXT, --questions FILE or --pairs TABLE"),
    ],
)
def test_where_nothing_is_asked_a_question_among_the_images_is_recognised(cli, here, words, told):
    answer = cli("predict", "run", *words)
    assert answer.code == 2 and f"nothing is asked: {told}" in answer.err
