"""``predict`` on tables, archives and closed lists, in parts and gone on with."""

import csv
import io
import json
import os
import shutil
import signal
import time
import zipfile

import pytest

from latentvqa.engine.runs.tables import training_table, validation_table
from tests.cli.asked_pictures import ASKED, folder
from tests.small_runs import read_csv, write_rows

__all__ = ["folder"]


def table(path, folder, rows=30):
    lines = [(f"{n % 2}.png", ASKED[0] if n % 3 else "zebra?", f"q{n}") for n in range(rows)]
    return write_rows(path, lines, "img,question,qid")


PAIRS = ("--column", "image=img", "--column", "id=qid")


def test_rows_of_a_table_are_answered_with_their_ids(cli, finished, folder, tmp_path):
    pairs = table(tmp_path / "t.csv", folder)
    for out, options in (("a.csv", ()), ("a.jsonl", ("--top", 2)), ("a.json", ())):
        done = cli(
            "predict",
            finished.run,
            folder,
            "--pairs",
            pairs,
            *PAIRS,
            "--out",
            tmp_path / out,
            *options,
        )
        assert done.code == 0, done.err
    rows = read_csv(tmp_path / "a.csv")
    assert [row["id"] for row in rows] == [f"q{n}" for n in range(30)]
    assert [row["image"] for row in rows] == ["0.png", "1.png"] * 15
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [line["answer"] for line in lines] == [row["answer"] for row in rows]
    assert all(len(line["others"]) == 1 for line in lines)
    challenge = json.loads((tmp_path / "a.json").read_text())
    assert challenge == [{"question_id": row["id"], "answer": row["answer"]} for row in rows]


def test_the_parts_of_a_work_are_its_rows(cli, finished, folder, tmp_path):
    pairs = table(tmp_path / "t.csv", folder)
    cli("predict", finished.run, folder, "--pairs", pairs, *PAIRS, "--out", tmp_path / "whole.csv")
    rows = []
    for part in ("1/3", "2/3", "3/3"):
        out = tmp_path / f"{part[0]}.csv"
        done = cli(
            "predict", finished.run, folder, "--pairs", pairs, *PAIRS, "--shard", part, "--out", out
        )
        assert done.code == 0, done.err
        rows += read_csv(out)
    assert [(row["id"], row["answer"]) for row in rows] == [
        (row["id"], row["answer"]) for row in read_csv(tmp_path / "whole.csv")
    ]


def test_an_archive_and_a_picture_are_answered_as_a_folder_is(cli, finished, folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in ("0.png", "1.png", "broken.jpg"):
            archive.write(folder / name, name)
    from_folder = {
        row["image"]: row["answer"]
        for row in csv.DictReader(
            io.StringIO(cli("predict", finished.run, folder, "--question", ASKED[0]).out)
        )
    }
    done = cli("predict", finished.run, tmp_path / "photos.zip", "--question", ASKED[0])
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["image"] for row in rows] == ["0.png", "1.png", "broken.jpg"]
    assert all(row["answer"] == from_folder[row["image"]] for row in rows)
    assert "broken.jpg: not an image" in rows[2]["error"]
    alone = cli("predict", finished.run, folder / "1.png", "--question", ASKED[0])
    (row,) = csv.DictReader(io.StringIO(alone.out))
    assert (row["image"], row["answer"]) == (str(folder / "1.png"), from_folder["1.png"])


def test_answers_are_chosen_from_a_closed_list(cli, finished, folder, tmp_path):
    allowed = tmp_path / "answers.txt"
    free = cli("predict", finished.run, folder, "--question", ASKED[0])
    given = {row["answer"] for row in csv.DictReader(io.StringIO(free.out))}
    other = next(text for text in validation_table(finished.run).targets if text not in given)
    allowed.write_text(f"{other}\n")
    done = cli(
        "predict", finished.run, folder, "--question", ASKED[0], "--answers", allowed, "--top", 3
    )
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert {row["answer"] for row in rows if not row["error"]} == {other}
    assert all(row["answer_2"] == "" for row in rows)
    assert all(0.0 <= float(row["confidence"]) < 1.0 for row in rows if not row["error"])
    allowed.write_text(f"{other}\na zebra\n")
    refused = cli("predict", finished.run, folder, "--question", "q", "--answers", allowed)
    assert refused.code == 2
    assert "--answers: the model cannot give 1 of 2 answers, for words that" in refused.err


def test_what_was_interrupted_goes_on_and_what_is_done_stays(cli, finished, folder, tmp_path):
    pairs = table(tmp_path / "t.csv", folder, rows=1500)
    asked = ("predict", finished.run, folder, "--pairs", pairs, *PAIRS)
    assert cli(*asked, "--out", tmp_path / "whole.csv").code == 0
    out = tmp_path / "out.csv"

    def stop(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("latentvqa.cli.console.NoticeObserver.progress", stop)
        done = cli(*asked, "--out", out)
    assert (done.code, out.exists()) == (143, False)
    assert f"interrupted after 640 rows, kept in {out}.part; the same command with" in done.err
    assert "Go on with --resume" in cli(*asked, "--out", out).err
    other = cli(*asked, "--out", out, "--resume", "--top", 2)
    assert other.code == 1 and "begun with another model" in other.err
    done = cli(*asked, "--out", out, "--resume")
    assert done.code == 0, done.err
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not list(tmp_path.glob("out.csv.part*"))
    assert "nothing of it is left to do" in cli(*asked, "--out", out, "--resume").err


def test_the_questions_of_the_vqa_challenge_are_a_table(cli, finished, folder, tmp_path):
    asked = [{"image_id": n % 2, "question": ASKED[0], "question_id": 100 + n} for n in range(5)]
    file = tmp_path / "v2_OpenEnded_questions.json"
    file.write_text(json.dumps({"info": {}, "questions": asked}))
    out = tmp_path / "result.json"
    done = cli("predict", finished.run, folder, "--pairs", file, "--out", out)
    assert done.code == 0, done.err
    assert [row["question_id"] for row in json.loads(out.read_text())] == [100, 101, 102, 103, 104]
    refused = cli("predict", finished.run, folder, "--questions", file)
    assert refused.code == 1
    assert f"{file}: its rows name their images: give it as --pairs" in refused.err


def test_the_questions_of_a_table_are_asked_about_every_picture(cli, finished, folder, tmp_path):
    lines = write_rows(tmp_path / "q.csv", [[ASKED[0]], ["and now?"], [ASKED[0]]], "question")
    done = cli("predict", finished.run, folder / "0.png", "--questions", lines)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["question"] for row in rows] == [ASKED[0], "and now?"]
    plain = write_rows(tmp_path / "plain.csv", [["and now?"]], "what is it?")
    done = cli("predict", finished.run, folder / "0.png", "--questions", plain)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["question"] for row in rows] == ["what is it?", "and now?"]
    other = write_rows(tmp_path / "other.csv", [["what?", "1"]], "frage,typ")
    refused = cli("predict", finished.run, folder / "0.png", "--questions", other)
    assert refused.code == 1 and "without a column 'question'" in refused.err


def test_columns_are_named_as_in_the_tables_of_the_run(cli, finished, folder, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    config = run / "config.toml"
    names = '[data.columns]\nimage = "img"\nid = "qid"\ntype = "kind"\n'
    config.write_text(config.read_text().replace("[data.columns]\n", names, 1))
    done = cli("predict", run, folder, "--pairs", table(tmp_path / "t.csv", folder, rows=3))
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["id"] for row in rows] == ["q0", "q1", "q2"]
    plain = write_rows(tmp_path / "plain.csv", [["0.png", ASKED[0]]], "image,question")
    assert cli("predict", run, folder, "--pairs", plain).code == 0
    config.unlink()
    assert cli("predict", run, folder, "--pairs", plain).code == 0


def test_rows_that_the_model_was_trained_on_are_called_so(cli, finished):
    trained = training_table(finished.run)
    images = trained.image_paths[0].parent
    done = cli("predict", finished.run, images, "--pairs", trained.path)
    assert done.code == 0
    assert f"warning: {finished.run} was trained on rows of {trained.path}" in done.err
