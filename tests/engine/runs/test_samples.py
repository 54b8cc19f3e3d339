"""Sample answers in the run folder: which, when, and what an interruption leaves of them."""

from dataclasses import replace

import pytest

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.runs.samples import read_samples, write_samples
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import CheckpointError
from tests.small_runs import (
    STEPS,
    Interrupter,
    Recorder,
    assert_same_run,
    interrupted,
    small_config,
)

SAMPLE = SampleAnswer(0, 17, "a.png", "what\u2028\n?", "màu đỏ", 0.25, "blue", False)


def test_answers_are_read_as_they_were_written(tmp_path):
    assert read_samples(tmp_path) == []
    write_samples(tmp_path, [SAMPLE, replace(SAMPLE, row=18)])
    write_samples(tmp_path, [replace(SAMPLE, epoch=5)])
    assert read_samples(tmp_path) == [SAMPLE, replace(SAMPLE, row=18), replace(SAMPLE, epoch=5)]


def test_an_epoch_that_is_told_again_takes_the_place_of_what_stands_there(tmp_path):
    for epoch in (0, 1, 2):
        write_samples(tmp_path, [replace(SAMPLE, epoch=epoch)])
    again = replace(SAMPLE, epoch=1, answer="red")
    write_samples(tmp_path, [again])
    assert read_samples(tmp_path) == [SAMPLE, again]


@pytest.mark.parametrize("content", ["", '{"epoch": 0}\n', "no JSON\n"])
def test_a_file_that_was_edited_is_refused_with_what_to_do(tmp_path, content):
    write_samples(tmp_path, [SAMPLE])
    (tmp_path / "samples.jsonl").write_text(content)
    with pytest.raises(CheckpointError, match="Remove it"):
        read_samples(tmp_path)


@pytest.mark.heavy
def test_the_same_questions_are_answered_and_no_bit_of_the_run_changes(finished, tmp_path):
    sampled, recorder = tmp_path / "sampled", Recorder()
    config = small_config("run.sample_every=2")
    with interrupted():
        train(config, sampled, Interrupter("epoch 2", STEPS // 2))
    assert {one.epoch for one in read_samples(sampled)} == {1}
    resume(sampled, None, recorder)
    assert_same_run(sampled, finished.run)  # it kept none: its four epochs come before the fifth
    assert not (finished.run / "samples.jsonl").exists()
    samples = read_samples(sampled)
    assert [one.epoch for one in samples] == [1] * 8 + [3] * 8
    asked = [[(one.row, one.question) for one in part] for part in (samples[:8], samples[8:])]
    assert asked[0] == asked[1] and len(set(asked[0])) == 8
    assert all(0.0 <= one.confidence <= 1.0 for one in samples)
    assert all(one.is_right == (one.answer == one.reference) for one in samples)


@pytest.mark.heavy
def test_samples_that_cannot_be_kept_cost_a_notice(tmp_path):
    class Spoiler(Recorder):
        def epoch(self, header, records, diagnosis):
            (tmp_path / "run" / "samples.jsonl").write_text("edited")

    recorder = Spoiler()
    changes = ("run.sample_every=1", "data.scene_images=20", "stages.full=0")
    outcome = train(small_config(*changes), tmp_path / "run", recorder)
    assert len(outcome.records) == 2
    told = [note for note in recorder.notices if "sample answers are not kept" in note]
    assert len(told) == 1 and "Remove it" in told[0]
