from dataclasses import replace

import pytest

from tests.core.rules.found import found, run
from tests.runs import HEADER


@pytest.mark.parametrize(
    ("epochs", "name"), [(4, "phase_early"), (12, "phase_late"), (20, "phase_full")]
)
def test_a_phase_says_what_it_expected(epochs, name):
    seen = found(name, run(0.2, 0.19, epochs=epochs))
    assert seen.level == "info"
    assert seen.sentence.startswith("Not as the rule of thumb expects in ")
    assert "kl_raw 0.2 (expected 0.0" in seen.sentence
    assert seen.is_open


def test_the_reduction_is_expected_in_the_first_two_phases_only():
    early = found("phase_early", run(0.04, 0.0, epochs=4))
    assert early.sentence == (
        "Not as the rule of thumb expects in epochs 3 to 5: penalty reduction 100 % (expected 30 % "
        "to 70 %)."
    )
    assert found("phase_full", run(0.06, 0.0, epochs=20)) is None


def test_overfitting_is_a_remark_from_the_second_phase_on():
    wide = {"answer_loss": 0.3}
    assert found("phase_early", run(0.04, 0.02, epochs=4, val={"answer_loss": 0.9}, **wide)) is None
    late = found("phase_late", run(0.06, 0.03, epochs=12, val={"answer_loss": 0.9}, **wide))
    assert late.sentence.endswith("epochs 10 to 14: overfit ratio 3 (at most 2).")


def test_a_phase_that_is_over_is_no_finding():
    assert found("phase_early", run(0.2, 0.19, epochs=7)) is None


def test_phases_are_counted_from_the_first_epoch_with_a_latent():
    header = replace(HEADER, stages=replace(HEADER.stages, baseline=2))
    assert found("phase_early", run(0.2, 0.19, epochs=4), header) is None
    assert found("phase_early", run(0.2, 0.19, epochs=6), header) is not None
