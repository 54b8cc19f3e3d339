from latentvqa.core.ablation import ArmResult, Comparison
from latentvqa.core.estimates import Estimate
from latentvqa.engine.ablation.results import corrected_for_arms

SHOWN = Estimate(0.1, 0.05, 0.15, 3)


def arm(name, p_value):
    comparison = Comparison({"exact_match": SHOWN}, SHOWN, p_value)
    return ArmResult(name, {}, {}, comparison)


def test_the_p_values_of_all_compared_arms_are_corrected_together():
    default = ArmResult("default", {}, {}, None)
    arms = [default, arm("a", 0.03), arm("b", 0.01), arm("unpaired", None), arm("c", 0.04)]
    assert {one.comparison.word for one in arms if one.comparison} == {"better"}
    corrected = corrected_for_arms(arms)
    assert [one.name for one in corrected] == [one.name for one in arms]
    assert corrected[0] is default
    found = [one.comparison for one in corrected[1:]]
    assert [one.p_holm for one in found] == [0.06, 0.03, None, 0.06]
    assert [one.word for one in found] == [
        "no difference shown",
        "better",
        "better",
        "no difference shown",
    ]


def test_one_arm_is_not_corrected():
    (found,) = corrected_for_arms([arm("a", 0.03)])
    assert found.comparison.p_holm == found.comparison.p_value
