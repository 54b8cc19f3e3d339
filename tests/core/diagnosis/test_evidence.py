"""An ok needs a KL of known meaning and a loss to judge it against."""

from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.records import EpochRecord, KLConvention, RunHeader, SplitMetrics, StagePlan
from tests.corpus.made import run
from tests.runs import HEADER

UNKNOWN = KLConvention(unknown=("reduction", "tokens", "dims", "free_bits", "factor", "max_weight"))


def foreign(*raws, loss=1.0):
    """Epochs of another tool: a KL and a loss, and nothing else."""
    losses = [None if loss is None else loss - 0.01 * epoch for epoch in range(len(raws))]
    splits = [
        SplitMetrics(answer_loss=at, kl_raw=raw) for at, raw in zip(losses, raws, strict=True)
    ]
    return [EpochRecord(epoch, "unknown", train=split) for epoch, split in enumerate(splits)]


def judged(*raws, loss=1.0, **header):
    return diagnose(RunHeader(kl=UNKNOWN, **header), foreign(*raws, loss=loss))


def test_a_kl_beside_a_loss_is_judged():
    assert judged(1.0, 1.2, 1.3).verdict.code == "ok"


@pytest.mark.parametrize(
    ("raws", "header", "reason"),
    [
        ((0.01, 0.0, 0.0), {"kl_resolution": 0.005}, "below the printed precision (0.01)"),
        ((0.02, -0.01, 0.01), {}, "scatters around 0"),
        ((6e-6, 7e-6, 8e-6), {}, "multiplied by its weight"),
        ((4.0, *[3.0] * 5), {}, "exactly 3 in every late record"),
        ((1.0, 1.1), {"unjudged": "This is another training."}, "This is another training."),
    ],
)
def test_a_kl_that_tells_nothing_is_not_judged(raws, header, reason):
    found = judged(*raws, **header)
    assert (found.verdict.level, found.verdict.code) == ("not judged", "not_judged")
    assert reason in found.verdict.sentence
    assert not found.is_at_least("warning")
    assert found.next_step.sentence


def test_a_kl_without_a_loss_is_not_judged_and_says_what_is_missing():
    found = judged(1.0, 1.2, loss=None)
    assert found.verdict.level == "not judged"
    assert "no answer or reconstruction loss" in found.verdict.sentence
    assert "--map answer=COLUMN" in found.next_step.sentence


def test_columns_that_look_like_a_kl_are_named_and_can_be_mapped():
    found = judged(1.0, 1.1, unjudged="No column.", kl_candidates=("lat\x1b", "b", "c", "d", "e"))
    assert "lat\\x1b, b, c, d and 1 more" in found.verdict.sentence
    assert found.next_step.sentence.endswith("--map kl_raw=lat\\x1b")


def test_a_log_whose_rows_hold_no_measure_is_not_judged_either():
    found = diagnose(RunHeader(unjudged="No column is known."), [])
    assert found.verdict.level == "not judged"
    assert found.next_step.sentence


def test_a_fault_is_said_though_there_is_no_kl():
    first, last = foreign(1.0, 1.1)
    broken = replace(last, train=replace(last.train, total_loss=float("nan")))
    found = diagnose(RunHeader(kl=UNKNOWN, unjudged="No column."), [first, broken])
    assert found.verdict.code == "divergence"


@pytest.mark.parametrize(("epochs", "waits"), [(14, True), (15, False)])
def test_a_finished_run_is_not_told_to_wait(epochs, waits):
    header = replace(HEADER, stages=StagePlan(0, 15, 0), kl=replace(HEADER.kl, free_bits=0.02))
    log = run(epochs, header, kl_weight=5.0, effective_kl_weight=1.0)
    assert ("Let the warm-up end" in diagnose(*log).next_step.sentence) == waits
