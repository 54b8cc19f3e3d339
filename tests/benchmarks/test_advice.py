import pytest

from latentvqa.core.rules.catalogue import RULES
from tests.benchmarks.advice import FAULTS, NEEDED, SEEDS, cured_of, recorded, tried

ADVISING = {rule.code for rule in RULES if rule.advice is not None}


def test_every_rule_that_advises_a_change_has_a_fault_planted_for_it():
    assert {code for fault in FAULTS.values() for code in fault.codes} == ADVISING


@pytest.mark.parametrize(
    ("name", "code"), [(name, code) for name, fault in FAULTS.items() for code in fault.codes]
)
def test_every_advice_that_stands_cured_its_fault_on_four_of_five_seeds(name, code):
    assert sorted(one["seed"] for one in recorded() if one["fault"] == name) == list(SEEDS)
    assert cured_of(name, code) >= NEEDED


@pytest.mark.heavy
def test_a_crushed_model_revives_by_the_advice_that_it_gets():
    entry = tried(FAULTS["heavy-kl"], seed=0)["codes"]["IN002"]
    assert entry["before"] == "critical"
    assert (entry["advice"]["key"], entry["advice"]["before"]) == ("kl.factor", 200.0)
    assert entry["after"] is None
    assert entry["cured"]
