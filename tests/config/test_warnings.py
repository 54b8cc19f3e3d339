import pytest

from latentvqa.config import ablation_warnings, config_warnings, load_config, load_plan

PLAN = """
description = "a question"
preset = "quickstart"
default = "one"
[arms.one]
[arms.two]
kl.free_bits = 0.2
"""


def test_the_sum_reduction_with_untouched_weights_is_a_warning():
    config = load_config(preset="quickstart", overrides=["kl.reduction=sum", "latent.dims=64"])
    (warning,) = config_warnings(config)
    assert "64 times as much" in warning
    assert "kl.factor = 0.00313" in warning
    assert "kl.free_bits = 6.4" in warning


@pytest.mark.parametrize("override", ["kl.factor=0.003", "kl.free_bits=6.4", "kl.reduction=mean"])
def test_the_sum_reduction_is_no_warning_once_it_was_thought_of(override):
    config = load_config(preset="quickstart", overrides=["kl.reduction=sum", override])
    assert config_warnings(config) == []


@pytest.mark.parametrize(
    ("overrides", "ignored"),
    [
        (["cycles=2", "set_point=0.2"], 'kl.schedule = "linear" ignores kl.cycles, kl.set_point'),
        (
            ["schedule=constant", "warmup_epochs=3", "warmup_by=step"],
            'kl.schedule = "constant" ignores kl.warmup_epochs, kl.warmup_by',
        ),
        (["schedule=cyclical", "integral_gain=0.1"], '"cyclical" ignores kl.integral_gain'),
        (
            ["schedule=controller", "set_point=0.2", "rising_share=0.1"],
            '"controller" ignores kl.rising_share',
        ),
        (["free_bits_per_need=9.0"], 'kl.free_bits_per_need counts only under kl.free_bits = "au'),
    ],
)
def test_a_key_that_the_schedule_ignores_is_a_warning(overrides, ignored):
    set_keys = ["data.scenes=easy", *(f"kl.{text}" for text in overrides)]
    (warning,) = config_warnings(load_config(overrides=set_keys))
    assert ignored in warning


@pytest.mark.parametrize(
    "overrides",
    [
        ["warmup_epochs=3", "warmup_by=step"],
        ["schedule=constant", "warmup_start_epoch=3"],
        ["schedule=cyclical", "cycles=2", "rising_share=0.9", "warmup_epochs=50"],
        ["schedule=controller", "set_point=0.2", "integral_gain=0.1", "proportional_gain=0.0"],
        ["free_bits=auto", "free_bits_per_need=9.0"],
    ],
)
def test_a_key_that_the_schedule_uses_is_no_warning(overrides):
    set_keys = ["data.scenes=easy", *(f"kl.{text}" for text in overrides)]
    assert config_warnings(load_config(overrides=set_keys)) == []


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["blind=true", "pretrained=true", "freeze_epochs=3"],
            "vision.blind = true ignores vision.pretrained, vision.freeze_epochs: there is no",
        ),
        (["freeze_epochs=3"], "vision.freeze_epochs = 3 freezes a backbone that has learnt noth"),
    ],
)
def test_vision_keys_that_mean_nothing_together_are_a_warning(overrides, told):
    set_keys = ["data.scenes=easy", *(f"vision.{text}" for text in overrides)]
    (warning,) = config_warnings(load_config(overrides=set_keys))
    assert told in warning


@pytest.mark.parametrize("vision", [["blind=true"], ["pretrained=true", "freeze_epochs=3"]])
def test_vision_keys_that_go_together_are_no_warning(vision):
    set_keys = ["data.scenes=easy", *(f"vision.{text}" for text in vision)]
    assert config_warnings(load_config(overrides=set_keys)) == []


def test_warnings_name_the_arms_that_they_are_about(write):
    plan = PLAN + "[arms.three]\nrun.max_minutes = 1.0\nkl.cycles = 2\n"
    assert ablation_warnings(load_plan(str(write(plan)))) == [
        'three: kl.schedule = "linear" ignores kl.cycles',
        "three: run.max_minutes fits each run to its own speed: arms may differ in epochs",
    ]
    found = load_plan(str(write(PLAN)), overrides=["kl.cycles=2"])
    assert ablation_warnings(found) == ['kl.schedule = "linear" ignores kl.cycles']


def test_arms_that_do_not_differ_are_told(write):
    plan = PLAN + "[arms.three]\nkl.factor = 0.5\n[arms.four]\nkl.factor = 0.5\n"
    plan += "[arms.five]\nkl.factor = 0.7\n[arms.six]\nkl.factor = 0.7\n"
    assert ablation_warnings(load_plan(str(write(plan)))) == [
        "three, four: the same configuration, so they share their runs",
        "five, six: the same configuration, so they share their runs",
    ]
