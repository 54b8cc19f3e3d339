"""A hair on one side of a threshold the rule speaks, on the other it does not."""

from dataclasses import replace

import pytest

from latentvqa.core.diagnosis import RULES, diagnose
from latentvqa.core.thresholds import KLHealthThresholds
from tests.core.sides import LIMITS, NO_TARGET, SIDES, below, carries, overfitted, stuck, trained
from tests.runs import HEADER, make_run

PAIRS = [(code, name) for code, pairs in SIDES.items() for name in pairs]


def finding(code, log, limits=LIMITS):
    """The finding of a code, open and more than ok; None where the rule is content."""
    diagnosis = diagnose(*log, limits)
    return next((f for f in diagnosis.findings if f.code == code and f.level != "ok"), None)


@pytest.mark.parametrize(("code", "name"), PAIRS)
def test_a_rule_speaks_on_one_side_of_its_threshold_only(code, name):
    pair = SIDES[code][name]
    held = finding(code, pair.log(pair.holds), pair.limits)
    assert held is not None
    assert held.is_open
    assert finding(code, pair.log(pair.beyond), pair.limits) is None


@pytest.mark.parametrize(("code", "name"), PAIRS)
def test_the_sides_are_a_hair_apart(code, name):
    pair = SIDES[code][name]
    is_count = isinstance(pair.holds, int)
    assert (
        abs(pair.holds - pair.beyond) == 1
        if is_count
        else (pair.beyond == pytest.approx(pair.holds, rel=3e-9) or pair.beyond > 1e308)
    )


# What a rule says changes at these, not whether it speaks.
CHANGES = {
    "early_epoch": ("IN002", lambda n: carries(0.3, 0.01, n), 6, 5, ("critical", "warning")),
    "tuning_epoch": ("IN004", lambda n: carries(12.0, 0.05, n), 11, 10, ("warning", "info")),
    "learnt_gain": (
        "IN007",
        lambda gain: (HEADER, make_run(14, train={"kl_raw": 0.09}, val={"answer_gain": gain})),
        below(LIMITS.learnt_gain * 1.7),
        LIMITS.learnt_gain * 1.7,
        ("warning", "info"),
    ),
    "target_loss": (
        "TR002",
        lambda best: stuck(14, best=best, header=NO_TARGET),
        LIMITS.target_loss,
        below(LIMITS.target_loss),
        ("warning", "info"),
    ),
    "overfitting_high": (
        "TR003",
        overfitted,
        1.0 / LIMITS.overfitting_high,
        1.0 / below(LIMITS.overfitting_high),
        ("warning", "info"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_finding_changes_its_level_at_a_threshold(name):
    code, log, one, other, levels = CHANGES[name]
    assert (finding(code, log(one)).level, finding(code, log(other)).level) == levels


def test_overfitting_calls_for_action_from_its_last_threshold_on():
    at = 1.0 / LIMITS.overfitting_act
    words = [finding("TR003", overfitted(train)).sentence[:20] for train in (at, at * (1 + 1e-9))]
    assert words == ["Overfitting (act): v", "Overfitting (high): "]


def test_every_rule_has_its_sides():
    assert set(SIDES) == {"LG001", *(rule.code for rule in RULES)}


def test_every_threshold_has_its_sides():
    named = {name for _, name in PAIRS} | {"learnt_gain", "overfitting_act"}
    assert set(KLHealthThresholds.model_fields) <= named


def test_limits_of_the_kl_follow_the_reduction():
    kl = replace(HEADER.kl, reduction="sum")
    limit = LIMITS.high_kl * kl.dims
    header = replace(HEADER, kl=kl)
    assert finding("KL003", trained(1, header, kl_raw=limit)) is None
    assert finding("KL003", trained(1, header, kl_raw=limit * (1 + 1e-9))) is not None
