import pytest

from latentvqa.core.rules.catalogue import RULE_OF, RULES, plain_name, thresholds_of
from latentvqa.core.rules.thresholds import KLHealthThresholds

# which of several findings of one level speaks for the run
PRECEDENCE = [
    "no_epochs",
    "divergence",
    "collapse",
    "leak",
    "memorised",
    "image_not_used",
    "latent_ignored",
    "teacher_idle",
    "teacher_no_gradient",
    "overfitting",
    "pinned",
]


def test_codes_names_and_ranks_are_unique():
    for part in ("code", "name", "rank"):
        assert len({getattr(rule, part) for rule in RULES}) == len(RULES)
    assert [rule.rank for rule in RULES] == sorted(rule.rank for rule in RULES)
    assert all(RULE_OF[rule.code] is rule for rule in RULES)


def test_the_verdict_prefers_what_matters_most():
    names = [rule.name for rule in RULES]
    assert [name for name in names if name in PRECEDENCE] == PRECEDENCE
    beside = {"kl_impossible", "kl_exploding", "kl_vanishing", "loss_disagrees"}
    beside |= {"latent_bypassed", "presence_only"}
    assert set(names[: names.index("pinned")]) == {*PRECEDENCE, *beside} - {"pinned"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_declaration_is_whole(rule):
    assert rule.code[:2] in ("LG", "IN", "KL", "TE", "TR")
    assert rule.name == rule.name.lower()
    for text in (rule.meaning, rule.why):
        assert text.endswith(".")
    assert rule.source
    assert not any("notes" in text for text in (rule.meaning, rule.why, rule.source))


def test_every_threshold_belongs_to_a_rule():
    named = {key for rule in RULES for key in rule.thresholds}
    assert named == set(KLHealthThresholds.model_fields)


def test_the_thresholds_of_a_rule_are_those_in_use():
    high = thresholds_of(RULE_OF["KL004"], KLHealthThresholds(generous_reduction=0.9))
    assert (high[0].key, high[0].value) == ("generous_reduction", 0.9)
    assert high[0].description == "share; above it free bits are too high"
    assert thresholds_of(RULE_OF["KL004"])[0].value == 0.8
    assert thresholds_of(RULE_OF["IN001"]) == ()


def test_a_rule_is_called_by_words_where_people_read_it():
    assert plain_name("image_not_used") == "image not used"
    assert plain_name("kl_high") == "KL high"
    assert plain_name("pinned") == "KL at its free allowance"
    names = [plain_name(rule.name) for rule in RULES]
    assert len(set(names)) == len(RULES)
    assert not [name for name in names if set(name) & set("_,:")]  # lists and sentences hold them
