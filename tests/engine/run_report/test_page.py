"""A run's page and curves from its log, with the answers that can be had."""

import shutil

import pytest

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.run_report.page import run_page, write_reports
from latentvqa.engine.run_report.samples import AnsweredRow, Answers
from latentvqa.engine.runs.folder import BEST, read_config
from latentvqa.engine.runs.samples import write_samples
from latentvqa.errors import CheckpointError
from latentvqa.history import LOG_NAME, append_record, read_history, write_header
from tests.runs import HEADER, make_run

PICTURE = 'href="data:image/png;base64'


@pytest.fixture
def log(tmp_path):
    """A run folder with nothing in it but a log."""
    write_header(tmp_path / LOG_NAME, HEADER)
    for record in make_run(3):
        append_record(tmp_path / LOG_NAME, record)
    return tmp_path


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, which has no answers."""
    return shutil.copytree(finished.run, tmp_path / "run")


def answers(run):
    """Answers to a question about each of three images of the run, the first one wrong."""
    images = sorted(path.name for path in read_config(run).data.images.iterdir())[:3]
    rows = [
        AnsweredRow(name, f"question {place}?", "yes", "yes" if place else "no", place > 0, 0.5)
        for place, name in enumerate(images)
    ]
    return Answers(rows, "fresh", 32)


def write_answers(run, checkpoint):
    """What an evaluation of a checkpoint would leave of one answer."""
    folder = run / "evaluations" / "validation"
    folder.mkdir(parents=True)
    (folder / "predictions.csv").write_text(
        "image,question,answer,reference,correct,confidence\n0.png,written?,yes,yes,1,0.5\n"
    )
    (folder / "evaluation.json").write_text(f'{{"checkpoint": "{checkpoint}"}}')


def unwanted():
    raise AssertionError("asked for answers")


def page_of(run, answer=None, samples=12):
    notices = []
    return run_page(read_history(run), samples, notices.append, answer), notices


def test_a_log_alone_makes_a_page_and_says_what_it_lacks(log):
    page, notices = page_of(log)
    assert "Findings over the epochs" in page and ">Answers</h2>" not in page
    assert len(notices) == 2
    assert notices[0].startswith("warning: no config.toml in the run folder")
    assert notices[1].startswith("warning: the page shows no answers: ")


def test_reports_are_written_for_a_log_with_epochs_only(log):
    write_reports(log, lambda text: None)
    assert (log / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "Findings over the epochs" in (log / "report.html").read_text(encoding="utf-8")
    empty = log / "empty"
    empty.mkdir()
    write_header(empty / LOG_NAME, HEADER)
    write_reports(empty, lambda text: None)
    assert [path.name for path in empty.iterdir()] == [LOG_NAME]


def test_answers_are_made_where_none_are_written_and_only_if_they_are_wanted(run):
    page, notices = page_of(run, lambda: answers(run))
    assert notices == []
    assert page.count(PICTURE) == 3
    assert "Checkpoint fresh answers 2 of 3 validation questions" in page
    assert page.index(">surest wrong<") < page.index(">least sure<")
    assert ">Answers</h2>" not in page_of(run, unwanted, samples=0)[0]
    assert ">Answers</h2>" not in page_of(run)[0]


def test_written_answers_are_taken_from_the_best_checkpoint_alone(run):
    best = (run / BEST).read_text().strip()
    write_answers(run, best)
    assert f"Checkpoint {best} answers" in page_of(run, unwanted)[0]
    shutil.rmtree(run / "evaluations")
    write_answers(run, "0000-00000001")
    assert "Checkpoint fresh answers" in page_of(run, lambda: answers(run))[0]

    def failing():
        raise CheckpointError("no checkpoint is left")

    page, notices = page_of(run, failing)
    assert "Checkpoint 0000-00000001 answers" in page
    assert "holds no evaluation, and the page leaves it out" in notices[0]
    assert notices[1] == (
        "warning: the page shows the answers of checkpoint 0000-00000001: no checkpoint is left"
    )


def test_answers_of_the_epochs_are_shown_and_a_damaged_file_of_them_is_told(run):
    kept = SampleAnswer(4, 0, "0.png", "asked often?", "yes", 0.5, "yes", is_right=True)
    write_samples(run, [kept])
    page, notices = page_of(run)
    assert notices == [] and "Answers over the epochs" in page and "asked often?" in page
    assert "Answers over the epochs" not in page_of(run, samples=0)[0]
    (run / "samples.jsonl").write_text("torn")
    page, notices = page_of(run)
    assert "samples.jsonl is damaged" in page and "asked often?" not in page
    assert len(notices) == 1 and "samples.jsonl" in notices[0]


def test_answers_without_their_images_are_counted(run):
    rows = [AnsweredRow("gone.png", "q?", "a", "b", False, 0.5), *answers(run).rows]
    page, notices = page_of(run, lambda: Answers(rows, "fresh", 32))
    assert "1 of 4 answers shown without the image: " in notices[0]
    assert "gone.png" in notices[0]
    assert page.count(PICTURE) == 3
