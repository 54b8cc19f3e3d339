"""The answers that a run kept while it trained, read for its page."""

from dataclasses import replace

import pytest

from latentvqa.config import Data
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.run_report.training_samples import training_samples
from latentvqa.engine.runs.samples import write_samples
from tests.small_runs import write_images

FIRST = SampleAnswer(0, 17, "0.png", "one?", "red", 0.25, "blue", False)
OTHER = replace(FIRST, row=3, image="gone.png", question="other?")


def test_each_question_has_its_answers_over_the_epochs_and_its_image(tmp_path):
    data = Data(train=tmp_path / "t.csv", images=write_images(tmp_path / "images", 1))
    write_samples(tmp_path, [FIRST, OTHER])
    last = replace(FIRST, epoch=4, answer="blue", is_right=True, confidence=0.9)
    write_samples(tmp_path, [last, replace(OTHER, epoch=4)])
    found, note = training_samples(tmp_path, data, pytest.fail)
    assert note == "" and [one.shown.question for one in found] == ["other?", "one?"]
    assert found[1].answers == (FIRST, last)
    assert (found[1].shown.answer, found[1].shown.reference) == ("blue", "blue")
    assert [one.shown.image is None for one in found] == [True, False]
    assert [one.shown.image for one in training_samples(tmp_path, None, pytest.fail)[0]] == (
        [None, None]
    )


def test_a_run_that_kept_none_has_nothing_to_show(tmp_path):
    assert training_samples(tmp_path, None, pytest.fail) == ([], "")


@pytest.mark.parametrize("content", [b"", b"no JSON\n", b"\xff\xfe"])
def test_a_damaged_file_is_told_on_the_page_and_beside_it(tmp_path, content):
    write_samples(tmp_path, [FIRST])
    (tmp_path / "samples.jsonl").write_bytes(content)
    notices = []
    found, note = training_samples(tmp_path, None, notices.append)
    assert found == [] and note.startswith("samples.jsonl is damaged: ")
    assert len(notices) == 1 and str(tmp_path / "samples.jsonl") in notices[0]
