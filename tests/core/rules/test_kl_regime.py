from dataclasses import replace

import pytest

from tests.core.rules.found import NEED, UNKNOWN, found, info, run
from tests.runs import HEADER, KL, make_run


@pytest.mark.parametrize(
    ("raw", "epochs", "is_found"),
    [
        (0.0751, 3, True),
        (0.0749, 3, False),
        (0.1099, 3, True),
        (0.1101, 3, False),
        (0.09, 2, False),
    ],
)
def test_pinned_is_a_kl_near_free_bits_for_three_epochs(raw, epochs, is_found):
    records = make_run(epochs, train={"kl_raw": raw, "kl_after": 0.0})
    assert (found("pinned", records) is not None) is is_found


def test_tokens_above_their_allowance_are_charged_whatever_the_mean():
    # half of them at 0.02, half at 0.18 under free_bits 0.1
    records = make_run(6, train={"kl_raw": 0.1, "kl_after": 0.04})
    assert found("pinned", records) is None


def test_pinned_needs_a_weight_above_zero():
    records = make_run(6, train={"kl_raw": 0.09, "kl_after": 0.0}, effective_kl_weight=0.0)
    assert found("pinned", records) is None


@pytest.mark.parametrize(
    ("gain", "epochs", "level"),
    [(0.51 * NEED, 11, "info"), (0.49 * NEED, 11, "warning"), (0.49 * NEED, 10, "info")],
)
def test_pinned_is_info_where_the_answers_are_learnt(gain, epochs, level):
    records = make_run(epochs, train={"kl_raw": 0.09, "kl_after": 0.0}, val=info(12.0, gain))
    assert found("pinned", records).level == level


@pytest.mark.parametrize(("weight", "is_found"), [(14.9, True), (15.0, False)])
def test_an_unfinished_warmup_is_said(weight, is_found):
    assert (found("not_warmed_up", make_run(3, kl_weight=weight)) is not None) is is_found


@pytest.mark.parametrize(
    ("epochs", "val", "level", "says"),
    [
        (6, {"answer_gain": 0.3}, "info", "KL at its free allowance (harmless)"),
        (12, {}, "info", "KL at its free allowance (harmless)"),
        (12, {"answer_gain": 0.3}, "warning", "allowance, but the answers are not learnt"),
        (12, UNKNOWN, "warning", "the log does not say whether the answers are learnt"),
    ],
)
def test_a_kl_at_its_allowance_is_called_harmless_unless_the_answers_are_missing(
    epochs, val, level, says
):
    seen = found("pinned", run(0.09, 0.0, epochs=epochs, val=val))
    assert seen.level == level
    assert says in seen.sentence


def test_a_kl_without_a_price_is_inactive_whatever_its_size():
    header = replace(HEADER, kl=replace(KL, max_weight=0.0))
    seen = found("penalty_inactive", run(0.2), header)
    assert seen.level == "info"
    assert "no price" in seen.sentence


def test_a_large_share_of_the_loss_is_a_fault_only_where_nothing_moves():
    pressed = {"kl_share": 0.5, "answer_loss": 0.8}
    assert found("kl_share_high", run(0.05, **pressed)).level == "info"
    stuck = found(
        "kl_share_high",
        run(0.05, val={"answer_loss": 0.9, "answer_gain": 0.3}, **pressed),
    )
    assert stuck.level == "warning"
    assert stuck.sentence == (
        "The KL is 50 % of the loss, above the rule-of-thumb 30 %, while the validation answer "
        "loss is stuck."
    )
