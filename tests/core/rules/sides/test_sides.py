"""A hair on one side of a threshold a rule speaks, on the other it does not."""

from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.rules.capacity import left_to_the_test
from latentvqa.core.rules.catalogue import RULE_OF
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.sides.changes import CHANGES
from tests.core.rules.sides.foreign import FOREIGN_SIDES
from tests.core.rules.sides.paired_logs import LIMITS, trained
from tests.core.rules.sides.speaking import SIDES as SPEAKING
from tests.runs import HEADER

# those that no log shows have their sides in the latent-use test
CODES = {code for code, rule in RULE_OF.items() if rule.judge is not left_to_the_test}
SIDES = {
    code: SPEAKING.get(code, {}) | FOREIGN_SIDES.get(code, {})
    for code in (*SPEAKING, *(code for code in FOREIGN_SIDES if code not in SPEAKING))
}
PAIRS = [(code, name) for code, pairs in SIDES.items() for name in pairs]
CHANGED = [(code, name) for code, changes in CHANGES.items() for name in changes]


def finding(code, log, limits=LIMITS):
    """The open finding of a code; None where the target table is content."""
    found = diagnose(*log, limits).findings
    return next((f for f in found if f.code == code and (f.level != "ok" or code != "KL002")), None)


@pytest.mark.parametrize(("code", "name"), PAIRS)
def test_a_rule_speaks_on_one_side_of_its_threshold_only(code, name):
    pair = SIDES[code][name]
    held = finding(code, pair.log(pair.holds), pair.limits)
    assert held is not None
    assert held.is_open
    assert finding(code, pair.log(pair.beyond), pair.limits) is None


@pytest.mark.parametrize(("code", "name"), CHANGED)
def test_a_finding_says_something_else_on_the_other_side(code, name):
    change = CHANGES[code][name]
    for value, said in zip((change.pair.holds, change.pair.beyond), change.said, strict=True):
        seen = getattr(finding(code, change.pair.log(value)), change.part)
        assert seen == said or (change.part == "sentence" and seen.startswith(said))


@pytest.mark.parametrize(
    "pair",
    [SIDES[code][name] for code, name in PAIRS]
    + [CHANGES[code][name].pair for code, name in CHANGED],
)
def test_the_sides_are_a_hair_apart(pair):
    if isinstance(pair.holds, int):
        assert abs(pair.holds - pair.beyond) == 1
    else:
        is_finite = pair.holds < float("inf")
        assert not is_finite or pair.beyond == pytest.approx(pair.holds, rel=3e-9, abs=1e-300)


def test_every_rule_has_its_sides():
    assert set(SIDES) == CODES
    assert set(CHANGES) <= CODES


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_threshold_of_a_rule_has_its_sides(code):
    tested = {*SIDES[code], *CHANGES.get(code, {})} & set(KLHealthThresholds.model_fields)
    assert tested == set(RULE_OF[code].thresholds)


def test_a_limit_of_the_kl_follows_the_reduction():
    kl = replace(HEADER.kl, reduction="sum")
    header, limit = replace(HEADER, kl=kl), LIMITS.high_kl * kl.dims
    assert finding("KL003", trained(1, header, kl_raw=limit)) is None
    assert finding("KL003", trained(1, header, kl_raw=limit * (1.0 + 1e-9))) is not None
