import pytest

from latentvqa.core.diagnosis.diagnose import RULES
from latentvqa.core.diagnosis.explanations import EXPLANATIONS, explained
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.errors import ConfigError

LIMITS = KLHealthThresholds()


def test_every_rule_is_explained_and_nothing_else():
    assert set(EXPLANATIONS) == {"LG001", *(rule.code for rule in RULES)}


def test_codes_and_names_are_unique():
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


def test_every_threshold_belongs_to_a_rule():
    named = {key for said in EXPLANATIONS.values() for key in said.thresholds}
    assert named == set(KLHealthThresholds.model_fields)


@pytest.mark.parametrize("asked", ["KL004", "kl004", "free_bits_high"])
def test_a_rule_is_found_by_code_or_name(asked):
    text = explained(asked, RULES, KLHealthThresholds(generous_reduction=0.9))
    assert text.startswith("KL004 free_bits_high\n")
    assert "generous_reduction = 0.9: share; above it free bits are too high" in text
    assert "Source: training notes, item 12" in text


def test_an_unknown_code_names_the_nearest():
    with pytest.raises(ConfigError, match="there is no such rule; the nearest is KL00"):
        explained("KL04", RULES, LIMITS)
