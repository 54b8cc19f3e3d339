import pytest

from tests.core.rules.found import found
from tests.runs import make_epoch, make_run


def test_a_weight_that_is_printed_but_not_used_is_named():
    train = {"total_loss": 2.5, "answer_loss": 1.0, "kl_after": 0.1}
    seen = found("loss_disagrees", make_run(2, train=train, effective_kl_weight=3.0))
    assert seen.level == "warning"
    assert "must be about 15, not the logged one" in seen.sentence
    assert seen.observed["implied_weight"] == pytest.approx(15.0)


def test_parts_that_make_the_total_are_no_finding():
    train = {"total_loss": 1.31, "answer_loss": 1.0, "kl_after": 0.1}
    assert found("loss_disagrees", make_run(2, train=train, effective_kl_weight=3.0)) is None


def test_a_total_below_its_answer_loss_has_no_weight_that_explains_it():
    train = {"total_loss": 0.1, "answer_loss": 1.0, "kl_after": 0.1}
    seen = found("loss_disagrees", make_run(2, train=train, effective_kl_weight=3.0))
    assert "No weight explains it" in seen.sentence


@pytest.mark.parametrize(
    ("split", "says"),
    [
        ({"kl_raw": -0.1, "kl_after": 0.0}, "no KL is below 0"),
        ({"kl_raw": 0.05, "kl_after": 0.1}, "the columns are exchanged"),
    ],
)
def test_a_kl_that_cannot_be_is_named_in_either_split(split, says):
    assert says in found("kl_impossible", make_run(2, train=split)).sentence
    assert says in found("kl_impossible", make_run(2, val=split)).sentence


def test_missing_epochs_are_counted_and_the_first_is_named():
    records = [make_epoch(n) for n in (0, 1, 4, 6)]
    seen = found("log_incomplete", records)
    assert seen.observed == {"missing_epochs": 3, "first_missing_epoch": 2}
    assert "3 of 7 epochs missing, the first is 2" in seen.sentence
    assert found("log_incomplete", make_run(4)) is None


def test_a_header_alone_cannot_be_judged():
    seen = found("no_epochs", [])
    assert (seen.level, seen.source) == ("critical", "the log itself")
    assert found("no_epochs", make_run(1)) is None
