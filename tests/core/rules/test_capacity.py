from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.rules.rule import Advice
from tests.core.rules.found import NEED, found, info
from tests.runs import HEADER, KL, make_run


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


def test_missing_information_is_said():
    nothing = {"answer_entropy": None, "answer_gain": None, "information_bound": None}
    diagnosis = diagnose(HEADER, make_run(12, val={**nothing, "active_units": None}))
    assert any("collapse" in line and "holds no" in line for line in diagnosis.not_judged)
    assert "does not say whether the latent is used" in diagnosis.verdict.sentence
