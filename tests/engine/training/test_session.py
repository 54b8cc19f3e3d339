"""What a run leaves between its epochs, and automatic tuning of real small runs."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from latentvqa.core.diagnosis.tuning_events import events_of
from latentvqa.core.record_codec import decode_epoch
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import DataError, LoaderError
from latentvqa.history import read_history
from tests.small_runs import (
    STEPS,
    Interrupter,
    Recorder,
    assert_same_run,
    interrupted,
    small_config,
)

# decisions early and often; a KL that is most of the loss, and answers that stand still
TUNED = (
    "run.auto_tune=true",
    "stages.warmup=9",
    "stages.full=0",
    "kl.warmup_epochs=0",
    "kl.factor=100.0",
    "kl.free_bits=0.0",
    "kl_health.early_epoch=1",
    "kl_health.early_start=1",
    "kl_health.tuning_epoch=2",
    "kl_health.plateau_epochs=2",
    "kl_health.late_end=14",
)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    run = tmp_path_factory.mktemp("tuned") / "run"
    recorder = Recorder()
    train(small_config(*TUNED), run, recorder)
    return run, recorder


def test_a_crushed_run_is_eased_and_every_step_is_on_record(tuned):
    run, recorder = tuned
    records = read_history(run).records
    events = list(events_of(records))
    first = events[0]
    assert (first.action, first.key, first.before, first.after) == (
        "change",
        "kl.factor",
        100,
        0.064,
    )
    weights = [record.effective_kl_weight for record in records]
    assert weights[first.epoch] == pytest.approx(1500.0)
    assert weights[first.epoch + 1] == pytest.approx(0.96)
    judged = events[1]
    assert judged.action in ("keep", "undo")
    assert judged.epoch == first.epoch + 3
    if judged.action == "undo":
        assert weights[judged.epoch + 1] == pytest.approx(1500.0)
    told = [text for text in recorder.notices if text.startswith("auto-tune")]
    assert len(told) == len(events)


def test_a_tuned_run_resumes_bit_for_bit(tuned, tmp_path):
    run = tmp_path / "run"

    class Anywhere(Interrupter):
        def progress(self, phase, done, total):
            super().progress(self.phase, done, total)

    with interrupted():
        train(small_config(*TUNED), run, Anywhere("any", 60))
    resume(run, None, Observer())
    assert_same_run(run, tuned[0])


def test_without_the_flag_nothing_is_changed(finished):
    assert not list(events_of(read_history(finished.run).records))


def test_the_log_holds_what_the_checkpoint_holds(finished):
    history = read_history(finished.run)
    assert history.notes == ()
    assert history.header.seed == 0
    assert len(history.header.data["train"]["sha256"]) == 64
    assert list(history.records) == finished.outcome.records
    record, faults = decode_epoch(load_checkpoint(finished.run / "last").model["record"])
    assert record == history.records[-1] and not faults


class Spoiler(Observer):
    """Does harm at the fourth batch of the second epoch."""

    def __init__(self, harm):
        self.harm = harm

    def progress(self, phase, done, total):
        if (phase, done) == ("epoch 1", 4):
            self.harm()


WITHOUT_MEMORY = ("loader.cache_mib=0", "loader.workers=2")


def test_an_image_that_goes_bad_in_mid_training_ends_a_run_that_is_saved(finished, tmp_path):
    run, aside = tmp_path / "run", tmp_path / "aside.png"
    image = run / "data" / "images" / "00007.png"
    spoiler = Spoiler(lambda: image.rename(aside))
    with pytest.raises(DataError, match=r"00007\.png: no such file"):
        train(small_config(*WITHOUT_MEMORY), run, spoiler)
    step = load_checkpoint(run / "last").model["step"]
    assert step > STEPS + 4
    aside.rename(image)
    resume(run, None, Observer())
    assert_same_run(run, finished.run)


def test_a_killed_loader_process_ends_a_run_that_is_saved(finished, tmp_path):
    def kill():
        for child in decoding_processes():
            os.kill(child, signal.SIGKILL)

    run = tmp_path / "run"
    words = r"loader\.workers = 2: the loader process \d+ was ended by SIGKILL"
    with pytest.raises(LoaderError, match=words):
        train(small_config(*WITHOUT_MEMORY), run, Spoiler(kill))
    assert load_checkpoint(run / "last").model["step"] >= STEPS + 4
    resume(run, None, Observer())
    assert_same_run(run, finished.run)


def decoding_processes():
    """Those that this process started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = status.read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and "decoding" in (status.parent / "cmdline").read_text():
                found.append(int(status.parent.name))
    return found
