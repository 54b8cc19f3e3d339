import math
from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.rules.rule import Advice
from tests.runs import HEADER, KL, make_run

NEED = 1.7


def found(name, records, header=HEADER):
    diagnosis = diagnose(header, records)
    return next((finding for finding in diagnosis.findings if finding.name == name), None)


def info(bound=12.0, gain=1.6, **more):
    return {"information_bound": bound, "answer_gain": gain, **more}


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
    assert (found("collapse", make_run(6, val=info(active_units=units))) is not None) is is_found


@pytest.mark.parametrize(("epochs", "level"), [(5, "warning"), (6, "critical")])
def test_an_early_collapse_is_a_warning(epochs, level):
    assert found("collapse", make_run(epochs, val=info(0.1, 0.01))).level == level


def test_an_early_collapse_waits():
    early = found("collapse", make_run(5, val=info(0.1, -0.2)))
    assert early.advice is None
    assert early.sentence == (
        "So far the latent holds too little: the latent can carry at most 0.1 of the 1.7 nats "
        "that the answers need, and nothing is learnt."
    )


def test_advice_on_collapse_follows_the_evidence():
    gone = info(0.1, 0.01)
    active = found("collapse", make_run(6, val=gone))
    assert active.advice == Advice("kl.factor", 0.2, 0.15)
    assert "less KL pressure" in active.sentence
    rising = make_run(6, val=gone, kl_weight=5.0, effective_kl_weight=1.0)
    assert found("collapse", rising).advice == Advice("kl.warmup_epochs", 15, 30)
    free = found("collapse", make_run(6, val=gone, train={"kl_after": 0.0}))
    assert "not learning or is bypassed" in free.sentence
    assert free.advice == Advice("latent.temperature_warmup_epochs", 0, 6)
    ramped = make_run(
        6, lambda n: {"val": gone, "train": {"kl_after": 0.0, "temperature": min(0.2 * n, 0.6)}}
    )
    assert found("collapse", ramped).advice == Advice("latent.temperature", 0.6, 0.3)
    unknown = make_run(6, val={**gone, "kl_after": None}, train={"kl_after": None})
    assert found("collapse", unknown).advice is None


@pytest.mark.parametrize(
    ("gain", "error", "is_found"),
    [(1.051, 0.0, True), (1.049, 0.0, False), (1.21, 0.1, True), (1.19, 0.1, False)],
)
def test_a_leak_is_more_gain_than_the_bound_allows(gain, error, is_found):
    records = make_run(6, val=info(1.0, gain, answer_nll_error=error))
    assert (found("leak", records) is not None) is is_found


def test_a_leak_is_not_judged_at_temperature_zero_or_without_a_gaussian():
    leaky = info(0.5, 1.6, temperature=0.0)
    diagnosis = diagnose(HEADER, make_run(6, val=leaky))
    assert all(finding.name != "leak" for finding in diagnosis.findings)
    assert any("leak" in line and "temperature 0" in line for line in diagnosis.not_judged)
    header = replace(HEADER, kl=replace(KL, bottleneck="none"))
    assert found("leak", make_run(6, val=info(0.5, 1.6)), header) is None


@pytest.mark.parametrize(
    ("gain", "epochs", "level"),
    [(0.09 * NEED, 11, "warning"), (0.09 * NEED, 10, "info"), (0.11 * NEED, 11, None)],
)
def test_the_latent_is_ignored_where_it_could_carry_what_is_not_learnt(gain, epochs, level):
    finding = found("latent_ignored", make_run(epochs, val=info(12.0, gain)))
    assert (finding and finding.level) == level


@pytest.mark.parametrize(
    ("bound", "name", "is_found"),
    [
        (1.49 * NEED, "capacity_near_need", True),
        (1.51 * NEED, "capacity_near_need", False),
        (10.1 * NEED, "capacity_far_above_need", True),
        (9.9 * NEED, "capacity_far_above_need", False),
    ],
)
def test_capacity_is_compared_with_the_need(bound, name, is_found):
    finding = found(name, make_run(12, val=info(bound)))
    assert (finding is not None) is is_found
    assert not is_found or finding.level == "info"


def test_a_narrow_latent_that_has_not_learnt_is_a_warning():
    finding = found("capacity_near_need", make_run(12, val=info(1.2 * NEED, 0.4 * NEED)))
    assert (finding.level, finding.advice) == ("warning", Advice("kl.factor", 0.2, 0.15))


@pytest.mark.parametrize(
    ("raw", "epochs", "is_found"),
    [
        (0.0751, 3, True),
        (0.0749, 3, False),
        (0.1099, 3, True),
        (0.1101, 3, False),
        (0.09, 2, False),
    ],
)
def test_pinned_is_a_kl_near_free_bits_for_three_epochs(raw, epochs, is_found):
    records = make_run(epochs, train={"kl_raw": raw})
    assert (found("pinned", records) is not None) is is_found


def test_pinned_needs_a_weight_above_zero():
    records = make_run(6, train={"kl_raw": 0.09}, effective_kl_weight=0.0)
    assert found("pinned", records) is None


@pytest.mark.parametrize(
    ("gain", "epochs", "level"),
    [(0.51 * NEED, 11, "info"), (0.49 * NEED, 11, "warning"), (0.49 * NEED, 10, "info")],
)
def test_pinned_is_info_where_the_answers_are_learnt(gain, epochs, level):
    records = make_run(epochs, train={"kl_raw": 0.09}, val=info(12.0, gain))
    assert found("pinned", records).level == level


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("split", ["train", "val"])
def test_a_loss_that_is_not_finite_is_a_divergence(value, split):
    diagnosis = diagnose(HEADER, make_run(3, **{split: {"answer_loss": value}}))
    assert (diagnosis.verdict.level, diagnosis.verdict.code) == ("critical", "divergence")


@pytest.mark.parametrize(("weight", "is_found"), [(14.9, True), (15.0, False)])
def test_an_unfinished_warmup_is_said(weight, is_found):
    assert (found("not_warmed_up", make_run(3, kl_weight=weight)) is not None) is is_found


def test_missing_information_is_said():
    nothing = {"answer_entropy": None, "answer_gain": None, "information_bound": None}
    diagnosis = diagnose(HEADER, make_run(12, val={**nothing, "active_units": None}))
    assert any("collapse" in line and "holds no" in line for line in diagnosis.not_judged)
    assert "does not say whether the latent is used" in diagnosis.verdict.sentence
