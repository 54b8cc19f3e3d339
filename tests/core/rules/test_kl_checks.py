from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from tests.core.rules.found import UNKNOWN, found, kl, run
from tests.runs import HEADER, KL, make_run


@pytest.mark.parametrize(("raw", "is_found"), [(0.0099, True), (0.01, False)])
def test_collapse_check_is_info_only(raw, is_found):
    finding = found("kl_collapse_check", run(raw, val=UNKNOWN))
    assert (finding is not None) is is_found
    assert not is_found or finding.level == "info"


@pytest.mark.parametrize(("epochs", "says"), [(5, "wait"), (6, "verdict")])
def test_an_early_low_kl_only_waits(epochs, says):
    assert says in found("kl_collapse_check", run(0.005, epochs=epochs)).sentence


@pytest.mark.parametrize(
    ("raw", "after", "level"),
    [
        (0.03, 0.021, "ok"),
        (0.0299, 0.021, "info"),
        (0.08, 0.056, "ok"),
        (0.0801, 0.056, "info"),
        (0.05, 0.0399, "ok"),
        (0.05, 0.0401, "info"),
        (0.05, 0.0301, "ok"),
        (0.05, 0.0299, "info"),
    ],
)
def test_the_target_table_needs_both_bands(raw, after, level):
    assert found("kl_targets", run(raw, after)).level == level


@pytest.mark.parametrize(("raw", "is_found"), [(0.1501, True), (0.15, False)])
def test_kl_is_high_above_its_limit_at_any_epoch(raw, is_found):
    assert (found("kl_high", run(raw, epochs=1)) is not None) is is_found


@pytest.mark.parametrize(
    ("raw", "epochs", "is_found"), [(0.1201, 11, True), (0.12, 11, False), (0.1201, 10, False)]
)
def test_a_lower_limit_holds_from_the_tuning_epoch_on(raw, epochs, is_found):
    assert (found("kl_high", run(raw, epochs=epochs)) is not None) is is_found


def test_the_lower_limit_needs_consistent_epochs():
    records = make_run(12, lambda n: {"train": kl(0.13 if n >= 10 else 0.05)})
    assert found("kl_high", records) is None
    assert found("kl_high", make_run(13, lambda n: {"train": kl(0.13 if n >= 10 else 0.05)}))


@pytest.mark.parametrize(("raw", "is_found"), [(0.1001, True), (0.1, False)])
def test_the_lowest_limit_holds_while_validation_is_stuck(raw, is_found):
    stuck = {"answer_loss": 0.9}
    assert (found("kl_high", run(raw, val=stuck)) is not None) is is_found
    assert found("kl_high", run(raw)) is None


def test_checks_of_the_kl_are_info_where_information_says_that_the_latent_works():
    assert found("free_bits_high", run(0.05, 0.0)).level == "info"
    assert found("kl_high", run(0.2)).level == "info"


@pytest.mark.parametrize(
    ("raw", "epochs", "is_found"), [(0.049, 11, True), (0.05, 11, False), (0.049, 10, False)]
)
def test_kl_low_after_warmup_is_judged_in_its_window(raw, epochs, is_found):
    assert (found("kl_low_after_warmup", run(raw, epochs=epochs)) is not None) is is_found


def test_kl_low_after_warmup_ends_with_the_stage():
    assert found("kl_low_after_warmup", run(0.049, epochs=16)) is None


def test_thresholds_are_converted_for_sum_reduction():
    header = replace(HEADER, kl=replace(KL, reduction="sum", free_bits=6.4))
    assert found("kl_high", run(0.1501 * 64, epochs=1), header).limit["high_kl"] == 9.6
    assert found("kl_high", run(0.15 * 64, epochs=1), header) is None
    assert found("kl_targets", run(0.05 * 64), header).level == "ok"


def test_validation_is_judged_where_training_has_no_kl():
    records = make_run(3, train={"kl_raw": None, "kl_after": None}, val=kl(0.2))
    assert found("kl_high", records).observed["kl_raw"] == 0.2


def test_missing_values_are_not_judged_and_said():
    nothing = {"kl_raw": None, "kl_after": None}
    diagnosis = diagnose(HEADER, make_run(3, train=nothing, val=nothing))
    assert not any(finding.code.startswith("KL") for finding in diagnosis.findings)
    assert any("KL high" in line and "no kl_raw" in line for line in diagnosis.not_judged)


@pytest.mark.parametrize("bottleneck", ["deterministic", "none"])
def test_without_a_gaussian_bottleneck_no_kl_rule_is_judged(bottleneck):
    header = replace(HEADER, kl=replace(KL, bottleneck=bottleneck))
    diagnosis = diagnose(header, run(0.2, 0.0))
    assert not any(finding.code.startswith("KL") for finding in diagnosis.findings)
    assert f"The bottleneck is {bottleneck}: there is no KL to judge" in diagnosis.verdict.sentence


def test_a_kl_without_a_price_is_not_judged():
    header = replace(HEADER, kl=replace(KL, max_weight=0.0))
    assert found("kl_high", run(0.2), header) is None
