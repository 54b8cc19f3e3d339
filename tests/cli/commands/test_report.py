import re
import shutil
from base64 import b64decode
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from latentvqa.engine.run_report.fresh_answers import MOST_QUESTIONS
from latentvqa.sums import replace_summed
from tests.report.page.test_document import parsed
from tests.small_runs import read_csv

PREDICTIONS = Path("evaluations", "validation", "predictions.csv")


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, for pages are written into it."""
    return Path(shutil.copytree(finished.run, tmp_path / "run"))


@pytest.fixture
def evaluated(cli, run):
    assert cli("evaluate", run).code == 0
    return run


def reported(cli, run, *options, page="report.html"):
    done = cli("report", run, *options)
    assert done.code == 0, done.err
    return (run / page).read_text(encoding="utf-8"), done.err


def samples_in(text):
    """Question, picture and kind of each answer on a page."""
    part = text.partition(">Answers</h2>")[2]
    return [
        (
            re.search(r'class="question">(.*?)</p>', figure).group(1),
            re.findall(r"base64,([^\"]*)", figure),
            re.search(r'class="kind [a-z-]+">([\w ]+)<', figure).group(1),
        )
        for figure in re.findall(r'<figure class="sample">.*?</figure>', part, re.S)
    ]


def test_the_page_is_made_anew_from_what_evaluate_wrote(cli, evaluated):
    text, err = reported(cli, evaluated)
    seen = parsed(text)
    assert err == ""
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in seen.links)
    for part in ("Curves", "Findings over the epochs", "Epochs", "Configuration", "[kl]"):
        assert part in text
    rows = read_csv(evaluated / PREDICTIONS)
    right = sum(row["correct"] == "1" for row in rows)
    assert f"answers {right} of {len(rows)} validation questions right" in text
    samples = samples_in(text)
    assert len(samples) == 12
    wrong = len(rows) - right
    kinds = Counter(kind for *_, kind in samples)
    assert kinds["surest wrong"] == min(3, wrong) and kinds["least sure"] == 3
    assert kinds["right"] + kinds["wrong"] == 12 - kinds["surest wrong"] - 3
    assert len(text) < 1_000_000


def test_an_image_is_whole_and_opens_large(cli, evaluated):
    text, _ = reported(cli, evaluated)
    for _, pictures, _ in samples_in(text):
        with Image.open(BytesIO(b64decode(pictures[0]))) as picture:
            assert picture.format == "PNG" and picture.size == (48, 48)
    assert text.count("<dialog ") == 12


def test_score_types_confusion_confidence_and_other_tables_are_on_the_page(
    cli, evaluated, tmp_path
):
    table = Path(shutil.copy(evaluated / "data" / "questions.csv", tmp_path / "all.csv"))
    assert cli("evaluate", evaluated, "--data", table).code == 0
    text, err = reported(cli, evaluated)
    assert err == ""
    parts = ("of the answers are right", ">The question alone<", "Question types", "Confusion of")
    for part in (*parts, "Reliability", ">Evaluations</h2>", "all: "):
        assert part in text
    assert text.index(">The question alone<") < text.index(">Answers</h2>")


def test_several_runs_make_one_page_that_is_named(cli, evaluated, tmp_path):
    done = cli("report", evaluated, evaluated)
    assert done.code == 2 and "name it with --out FILE" in done.err
    other = shutil.copytree(evaluated, tmp_path / "other")
    page = tmp_path / "page.html"
    done = cli("report", evaluated, other, "--out", page, "--samples", 2)
    assert (done.code, done.out) == (0, f"written to {page}\n")
    text = page.read_text(encoding="utf-8")
    assert text.count('<details class="run">') == 2 and text.count("<dialog ") == 4
    assert cli("report", evaluated, other, "--out", page).code == 1  # it is there already
    own = other / "metrics.jsonl"
    assert cli("report", evaluated, other, "--out", own, "--overwrite").code == 1


def test_the_page_is_the_same_every_time_and_may_lie_elsewhere(cli, evaluated, tmp_path):
    first, _ = reported(cli, evaluated)
    done = cli("report", evaluated, "--out", tmp_path / "page.html")
    assert done.out == f"written to {tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == first


@pytest.mark.parametrize("count", [0, 3, 60])
def test_as_many_answers_are_shown_as_asked_for(cli, evaluated, count):
    text, _ = reported(cli, evaluated, "--samples", count)
    assert len(samples_in(text)) == min(count, 32)


def test_without_written_answers_the_checkpoint_answers_now(cli, evaluated):
    run = evaluated  # its confidences are fitted, as those of every trained run
    shutil.rmtree(run / "evaluations")
    text, err = reported(cli, run)
    best = (run / "best").read_text().strip()
    assert f"Checkpoint {best} answers" in text
    assert len(samples_in(text)) == 12
    assert err == ""
    assert not (run / "evaluations").exists()
    cli("evaluate", run)
    assert samples_in(reported(cli, run)[0]) == samples_in(text)  # read this time


def test_a_part_of_many_questions_is_answered_and_said(cli, run, monkeypatch):
    monkeypatch.setattr("latentvqa.engine.run_report.fresh_answers.MOST_QUESTIONS", 7)
    text, _ = reported(cli, run)
    assert re.search(r"of 7 validation questions, taken evenly from 32, right", text)
    assert MOST_QUESTIONS == 500


def test_answers_of_another_checkpoint_are_not_taken_for_the_best(cli, evaluated):
    best = (evaluated / "best").read_text().strip()
    written = evaluated / "evaluations" / "validation" / "evaluation.json"
    text = written.read_text().replace(best, "0000-00000001")
    replace_summed({written: text.encode()})
    text, _ = reported(cli, evaluated)
    assert f"Checkpoint {best} answers" in text
    shutil.rmtree(evaluated / "checkpoints")
    text, err = reported(cli, evaluated)
    assert "Checkpoint 0000-00000001 answers" in text
    assert "warning: the page shows the answers of checkpoint 0000-00000001: " in err


def test_without_checkpoints_the_page_is_made_all_the_same(cli, run):
    shutil.rmtree(run / "checkpoints")
    text, err = reported(cli, run)
    assert samples_in(text) == [] and "Curves" in text
    assert err.startswith("warning: the page shows no answers: ")


def test_without_images_the_answers_stand_alone(cli, evaluated):
    config = evaluated / "config.toml"
    images = next(x for x in config.read_text().splitlines() if x.startswith("images ="))
    config.write_text(config.read_text().replace(images, 'images = "/nowhere"'))
    text, err = reported(cli, evaluated)
    assert [pictures for _, pictures, _ in samples_in(text)] == [[]] * 12
    assert "warning: 12 of 12 answers shown without the image: /nowhere" in err


@pytest.mark.parametrize("content", ["", "row,image\n1,x\n", "\xff"])
def test_damaged_predictions_are_told_and_made_anew(cli, evaluated, content):
    (evaluated / PREDICTIONS).write_text(content, encoding="latin-1")
    text, err = reported(cli, evaluated)
    assert len(samples_in(text)) == 12
    assert "predictions.csv is damaged" in err and "latentvqa evaluate" in err


def test_a_link_at_the_place_of_the_page_is_replaced_and_not_followed(cli, run, tmp_path):
    (tmp_path / "theirs").write_text("theirs")
    for target in (tmp_path / "theirs", tmp_path / "none", tmp_path, Path("/dev/null")):
        (run / "report.html").unlink(missing_ok=True)
        (run / "report.html").symlink_to(target)
        assert cli("report", run, "--samples", 0).code == 0
        assert (run / "report.html").is_file() and not (run / "report.html").is_symlink()
    assert (tmp_path / "theirs").read_text() == "theirs" and not (tmp_path / "none").exists()


def test_a_log_alone_still_has_a_page(cli, run):
    for path in run.iterdir():
        if path.name != "metrics.jsonl":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    text, err = reported(cli, run)
    assert "Curves" in text
    assert "no config.toml" in err and "the page shows no answers" in err


def test_faults_are_told_with_their_exit_code(cli, run, tmp_path):
    assert cli("report", tmp_path / "none").code == 1
    assert cli("report", run, "--samples", 61).code == 2
    done = cli("report", run, "--samples", 0, "--out", tmp_path / "no" / "page.html")
    assert done.code == 1 and "cannot be written" in done.err
