import pytest

from latentvqa.core.diagnosis.explanations import explained
from latentvqa.core.rules.catalogue import RULES
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.errors import ConfigError

LIMITS = KLHealthThresholds()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_is_explained_whole(rule):
    text = explained(rule.code, LIMITS)
    joined = " ".join(text.split())
    for part in (f"{rule.code} {rule.name}", rule.meaning, rule.why, f"Source: {rule.source}"):
        assert part in joined
    assert [key for key in rule.thresholds if f"  {key} = " not in text] == []
    assert max(map(len, text.splitlines())) <= 80
    assert max(map(len, explained(rule.code, LIMITS, 60).splitlines())) <= 60


@pytest.mark.parametrize("asked", ["KL004", "kl004", "free_bits_high", "free bits high"])
def test_a_rule_is_found_by_code_or_name(asked):
    text = explained(asked, KLHealthThresholds(generous_reduction=0.9))
    assert text.startswith("KL004 free_bits_high\n")
    assert "generous_reduction = 0.9: share; above it free bits are too high" in text
    assert "Source: rule of thumb (recipe-origins)" in text


def test_an_unknown_code_names_the_nearest():
    with pytest.raises(ConfigError, match="there is no such rule; the nearest is KL00"):
        explained("KL04", LIMITS)
