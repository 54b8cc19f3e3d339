from dataclasses import replace

import pytest

from latentvqa.core.records import StagePlan
from latentvqa.core.rules.rule import Advice
from tests.core.rules.found import NEED, found, info
from tests.runs import HEADER, KL, make_run


@pytest.mark.parametrize(
    ("bound", "gain", "is_found"),
    [
        (0.49 * NEED, 0.09 * NEED, True),
        (0.51 * NEED, 0.09 * NEED, False),
        (0.49 * NEED, 0.11 * NEED, False),
    ],
)
def test_collapse_needs_neither_capacity_nor_answers(bound, gain, is_found):
    finding = found("collapse", make_run(6, val=info(bound, gain)))
    assert (finding is not None) is is_found
    assert not is_found or finding.level == "critical"


@pytest.mark.parametrize(("units", "is_found"), [(0, True), (1, False)])
def test_no_active_unit_is_a_collapse(units, is_found):
    nothing = info(12.0, 0.01, active_units=units)
    assert (found("collapse", make_run(6, val=nothing)) is not None) is is_found


def test_what_is_learnt_in_full_has_not_collapsed():
    assert found("collapse", make_run(6, val=info(12.0, 1.6, active_units=0))) is None


@pytest.mark.parametrize(
    ("epochs", "planned", "level"), [(5, 50, "info"), (6, 50, "critical"), (5, 5, "warning")]
)
def test_a_collapse_is_a_fault_once_it_cannot_pass_any_more(epochs, planned, level):
    header = replace(HEADER, stages=StagePlan(0, planned, 0))
    finding = found("collapse", make_run(epochs, val=info(0.1, 0.01)), header)
    assert (finding.level, finding.is_early) == (level, level == "info")


def test_a_collapse_of_another_tools_run_is_told_at_once():
    foreign = replace(HEADER, versions={})
    finding = found("collapse", make_run(5, val=info(0.1, 0.01)), foreign)
    assert (finding.level, finding.is_early) == ("warning", False)


def test_an_early_collapse_waits():
    early = found("collapse", make_run(5, val=info(0.1, -0.2)))
    assert early.advice is None
    assert early.sentence == (
        "Too early to judge (after 5 of 50 epochs). So far the latent holds too little: the "
        "latent can carry at most 0.1 of the 1.7 nats that the answers need, and nothing is "
        "learnt."
    )


DEAR = replace(HEADER, kl=replace(KL, factor=20.0))


def test_advice_on_collapse_follows_the_evidence():
    gone = info(0.1, 0.01)
    active = found("collapse", make_run(6, val=gone), DEAR)
    assert active.advice == Advice("kl.factor", 20.0, 0.26)
    assert "see what a nat of rate costs" in active.sentence
    free = make_run(6, val=gone, train={"kl_after": 0.0})
    inactive = found("collapse", free, DEAR)
    assert inactive.advice is None
    assert "not learning or is bypassed" in inactive.sentence
    unknown = make_run(6, val={**gone, "kl_after": None}, train={"kl_after": None})
    assert found("collapse", unknown, DEAR).advice is None


def test_a_collapse_is_not_blamed_on_a_price_that_is_low():
    assert found("collapse", make_run(6, val=info(0.1, 0.01))).advice is None
