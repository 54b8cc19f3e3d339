"""Event files: texts that are data, what a kill leaves, and our own reading of them."""

import shutil
import time
from pathlib import Path

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.tracking import TrackingObserver
from latentvqa.history import read_history
from latentvqa.logs import log_options, read_log
from latentvqa.tracking.measures import VERDICT
from latentvqa.tracking.tensorboard import TensorBoardTracker, last_epoch_in
from latentvqa.tracking.tracker import TrackedRun
from tests.engine.runtime.test_observer import PLAN

NUMBERS = {"val/kl_raw": 0.5, VERDICT: 1.0}


def steps_of(folder: Path, tag: str) -> list[int]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    held = EventAccumulator(str(folder / "tensorboard"))
    held.Reload()
    return [event.step for event in held.Scalars(tag)]


def texts_of(folder: Path, tag: str) -> list[str]:
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    held = EventAccumulator(str(folder / "tensorboard"))
    held.Reload()
    events = held.Tensors(f"{tag}/text_summary")
    return [make_ndarray(event.tensor_proto).flat[0].decode() for event in events]


def test_an_epoch_that_a_kill_left_half_told_is_told_again_and_stands_once(tmp_path):
    run = TrackedRun(tmp_path, {}, "")
    first = TensorBoardTracker(run)
    first.epoch(0, NUMBERS)
    first.epoch(1, {"val/kl_raw": 0.5})  # its verdict never came
    first.close()
    time.sleep(1.0)  # files are read in the order of the second in their names
    again = TensorBoardTracker(run)
    assert again.last_epoch == 0
    for epoch in (1, 2):
        again.epoch(epoch, NUMBERS)
    again.close()
    assert steps_of(tmp_path, "val/kl_raw") == [0, 1, 2]
    assert last_epoch_in(tmp_path / "tensorboard") == 2


def test_scores_of_an_earlier_end_are_taken_back(tmp_path):
    run = TrackedRun(tmp_path, {}, "")
    for epoch in (0, 1):
        tracker = TensorBoardTracker(run)
        tracker.epoch(epoch, NUMBERS)
        tracker.evaluation({"evaluation/exact_match": epoch / 4}, "a verdict")
        tracker.close()
    [table] = texts_of(tmp_path, "evaluation")
    assert table.splitlines()[-1] == "| evaluation/exact\\_match | 0.25 |"


def test_texts_of_the_data_neither_break_the_table_nor_are_markup(tmp_path):
    tracker = TensorBoardTracker(TrackedRun(tmp_path, {}, "[data]"))
    said = SampleAnswer(0, 1, "a_b.png", "<b>one|two</b>\n*three*?", "`x`", 0.5, "", False)
    tracker.samples(0, [said])
    tracker.close()
    _, _, row = texts_of(tmp_path, "samples")[0].splitlines()
    assert row == (
        "| &lt;b&gt;one\\|two&lt;/b&gt; \\*three\\*? | \\`x\\` | 0.500 |  | False | a\\_b.png | 1 |"
    )


def test_our_own_reading_of_the_event_files_finds_the_verdict_of_the_log(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    history = read_history(run)
    observer = TrackingObserver(Observer(), run, ["tensorboard"])
    observer.planned(PLAN)
    said = diagnose(history.header, history.records)
    observer.epoch(history.header, history.records, said)
    observer.close()
    options, _ = log_options(config=run / "config.toml")
    read = read_log(run / "tensorboard", options)
    assert [record.epoch for record in read.records] == [0, 1, 2, 3]
    for ours, theirs in zip(history.records, read.records, strict=True):
        for name in ("kl_raw", "kl_after", "answer_nll", "answer_gain", "image_gain", "rate"):
            expected = pytest.approx(getattr(ours.val, name), rel=1e-6, abs=1e-7)
            assert getattr(theirs.val, name) == expected, name
    assert diagnose(read.header, read.records).verdict.code == said.verdict.code
