import pytest

from tests.core.rules.found import found
from tests.runs import make_run


@pytest.mark.parametrize(
    ("last", "epochs", "is_found"), [(0.951, 6, True), (0.949, 6, False), (0.951, 5, False)]
)
def test_answer_loss_must_fall_within_the_early_epochs(last, epochs, is_found):
    records = make_run(
        epochs, lambda n: {"train": {"answer_loss": 1.0 if n < epochs - 1 else last}}
    )
    assert (found("answer_loss_not_decreasing", records) is not None) is is_found


def test_an_answer_loss_that_was_always_small_need_not_fall():
    assert found("answer_loss_not_decreasing", make_run(8, train={"answer_loss": 0.05})) is None


def plateau(epochs, best_at, loss=0.9, stage=None):
    def vary(n):
        value = loss if n == best_at else loss + 0.001 + (0.05 if n < best_at else 0.0)
        changes = {"val": {"answer_loss": value}, "train": {"answer_loss": value}}
        return changes if stage is None else {**changes, "stage": stage}

    return make_run(epochs, vary)


@pytest.mark.parametrize(
    ("epochs", "best_at", "is_found"), [(12, 6, True), (12, 7, False), (10, 2, False)]
)
def test_a_plateau_lasts_five_epochs_and_is_not_judged_before_ten(epochs, best_at, is_found):
    assert (found("validation_plateau", plateau(epochs, best_at)) is not None) is is_found


@pytest.mark.parametrize(("loss", "level"), [(0.81, "warning"), (0.79, "info")])
def test_a_plateau_is_a_warning_above_the_target(loss, level):
    assert found("validation_plateau", plateau(12, 3, loss)).level == level


def test_a_plateau_close_to_zero_is_no_plateau():
    assert found("validation_plateau", plateau(12, 3, 0.049)) is None


def overfit(ratio, *, val=0.5, rise=0.2, epochs=20):
    best = val / (1.0 + rise)

    def vary(n):
        is_last = n == epochs - 1
        return {
            "val": {"answer_loss": val if is_last else best},
            "train": {"answer_loss": val / ratio if is_last else best},
        }

    return make_run(epochs, vary)


@pytest.mark.parametrize(
    ("ratio", "level", "word"),
    [
        (1.99, None, ""),
        (2.01, "info", "moderate"),
        (2.49, "info", "moderate"),
        (2.51, "warning", "high"),
        (2.99, "warning", "high"),
        (3.01, "warning", "act"),
    ],
)
def test_overfitting_has_three_limits(ratio, level, word):
    finding = found("overfitting", overfit(ratio))
    assert (finding and finding.level) == level
    assert finding is None or f"({word})" in finding.sentence


@pytest.mark.parametrize(("rise", "is_found"), [(0.11, True), (0.09, False)])
def test_overfitting_needs_a_rise_over_the_best(rise, is_found):
    assert (found("overfitting", overfit(3.5, rise=rise)) is not None) is is_found


@pytest.mark.parametrize(("val", "is_found"), [(0.051, True), (0.05, False)])
def test_overfitting_needs_a_loss_that_matters(val, is_found):
    assert (found("overfitting", overfit(3.5, val=val)) is not None) is is_found


def test_a_spike_in_the_first_epochs_is_no_overfitting_yet():
    records = make_run(
        6, lambda n: {"train": {"answer_loss": 0.4}, "val": {"answer_loss": 0.4 * (n + 1)}}
    )
    early, due = found("overfitting", records[:5]), found("overfitting", records)
    assert (early.level, early.is_early) == ("info", True)
    assert (due.level, due.is_early) == ("warning", False)
