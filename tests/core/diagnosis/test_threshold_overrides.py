import pytest

from latentvqa.core.diagnosis.threshold_overrides import free_bits_to_try, resolved_thresholds
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.errors import ConfigError


def test_the_log_counts_before_the_defaults_and_the_command_line_before_the_log():
    thresholds, notes = resolved_thresholds(
        {"high_kl": 0.2, "pinned_epochs": 4.0}, ["kl_health.high_kl=0.3"]
    )
    assert (thresholds.high_kl, thresholds.pinned_epochs, notes) == (0.3, 4, [])


def test_every_logged_threshold_survives():
    logged = {name: float(value) for name, value in KLHealthThresholds()}
    assert resolved_thresholds(logged) == (KLHealthThresholds(), [])


def test_unknown_or_impossible_thresholds_of_a_log_give_way_with_a_note():
    thresholds, notes = resolved_thresholds({"novel": 1.0, "high_kl": float("nan")})
    assert thresholds == KLHealthThresholds()
    assert "'novel'" in notes[0]
    assert "out of bounds" in notes[1]


def test_all_faults_of_the_command_line_come_at_once():
    wrong = ["kl_health.hihg_kl=1", "kl.factor=1", "kl_health.high_kl=red", "kl_health.leak_nats"]
    with pytest.raises(ConfigError) as error:
        resolved_thresholds({}, wrong)
    for part in (
        "nearest is kl_health.high_kl",
        "kl.factor=1: expected",
        "high_kl = 'red'",
        "leak_nats: expected",
    ):
        assert part in str(error.value)


def test_thresholds_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigError, match="must not exceed"):
        resolved_thresholds({}, ["kl_health.healthy_kl_low=0.1"])


def test_the_allowance_to_try_is_a_number():
    assert free_bits_to_try("free_bits=0.05") == 0.05
    for wrong in ("free_bits", "free_bits=x", "free_bits=-1", "free_bits=nan", "factor=1"):
        with pytest.raises(ConfigError, match="--what-if"):
            free_bits_to_try(wrong)
