import math
from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from tests.core.rules.found import found
from tests.runs import HEADER, KL, make_run


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("split", ["train", "val"])
def test_a_loss_that_is_not_finite_is_a_divergence(value, split):
    diagnosis = diagnose(HEADER, make_run(3, **{split: {"answer_loss": value}}))
    assert (diagnosis.verdict.level, diagnosis.verdict.code) == ("critical", "divergence")


def test_a_kl_that_doubles_in_three_epochs_explodes():
    raws = [0.05, 1.1, 1.6, 2.4]
    seen = found("kl_exploding", make_run(4, lambda n: {"train": {"kl_raw": raws[n]}}))
    assert seen.level == "warning"
    assert "is 48 times that of 3 epochs before" in seen.sentence
    assert "and at how soon the KL weight rises" in seen.sentence


def test_a_kl_that_has_grown_thirtyfold_has_exploded_though_it_falls_now():
    raws = [0.1, 5.0, 4.0, 3.5]
    seen = found("kl_exploding", make_run(4, lambda n: {"train": {"kl_raw": raws[n]}}))
    assert "is 35 times its lowest" in seen.sentence


def test_a_log_of_unknown_convention_may_start_from_nothing():
    header = replace(HEADER, kl=replace(KL, unknown=("reduction", "dims")))
    raws = [1e-4, 1.0, 2.5, 6.0, 6.1, 6.2, 6.3]
    records = make_run(7, lambda n: {"train": {"kl_raw": raws[n]}})
    assert found("kl_exploding", records, header) is None
    assert found("kl_exploding", records) is not None
