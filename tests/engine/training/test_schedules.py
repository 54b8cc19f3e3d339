import pytest

from latentvqa.core.schedules.kl_weight import ControllerState
from latentvqa.engine.training.schedules import Schedules
from tests.tiny import tiny_config

FULL = 3.0  # max_weight x factor


def schedules(kl, **sections):
    return Schedules(tiny_config(kl=kl, stages={"warmup": 4, "full": 2}, **sections))


def weights(schedules, epochs=6, share=0.0):
    return [schedules.effective_weight(epoch, share) / FULL for epoch in range(epochs)]


def test_by_epoch_the_weight_stays_within_one_and_by_step_it_rises():
    assert weights(schedules({}), share=0.5) == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])
    by_step = schedules({"warmup_by": "step"})
    assert weights(by_step) == weights(schedules({}))
    assert weights(by_step, share=0.5) == pytest.approx([0.125, 0.375, 0.625, 0.875, 1, 1])


def test_constant_is_the_full_weight_from_its_start():
    assert weights(schedules({"schedule": "constant"})) == pytest.approx([1] * 6)
    late = schedules({"schedule": "constant", "warmup_start_epoch": 2})
    assert weights(late, share=0.9) == pytest.approx([0, 0, 1, 1, 1, 1])


def test_cycles_fill_the_warmup_stage_and_move_by_step():
    cyclical = schedules({"schedule": "cyclical", "cycles": 2, "rising_share": 1.0})
    assert weights(cyclical) == pytest.approx([0, 0.5, 0, 0.5, 1, 1])
    assert weights(cyclical, share=0.5) == pytest.approx([0.25, 0.75, 0.25, 0.75, 1, 1])
    longer = schedules({"schedule": "cyclical", "cycles": 3, "warmup_epochs": 6})
    assert weights(longer) == pytest.approx([0, 1, 0, 1, 0, 1])


def test_a_controlled_weight_is_the_controllers_from_its_start():
    controlled = schedules({"schedule": "controller", "set_point": 0.2, "warmup_start_epoch": 1})
    state = ControllerState(0.4, 0.4)
    assert controlled.effective_weight(0, 0.5, state) == 0.0
    assert controlled.effective_weight(1, 0.5, state) == pytest.approx(0.4 * FULL)
    assert [controlled.is_controlled(epoch) for epoch in (0, 1, 5)] == [False, True, True]


@pytest.mark.parametrize("schedule", ["linear", "constant", "cyclical", "controller"])
def test_nothing_is_priced_without_a_gaussian_latent(schedule):
    kl = {"schedule": schedule, "set_point": 0.2}
    state = ControllerState(1.0, 1.0)
    control = schedules(kl, latent={"bottleneck": "deterministic"})
    assert {control.effective_weight(epoch, 0.5, state) for epoch in range(6)} == {0.0}
    baseline = Schedules(tiny_config(kl=kl, stages={"baseline": 2, "warmup": 2}))
    assert {baseline.effective_weight(epoch, 0.5, state) for epoch in (0, 1)} == {0.0}
    assert baseline.effective_weight(3, 0.7, state) > 0.0
