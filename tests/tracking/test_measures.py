"""Names and numbers that every tool is told."""

from dataclasses import replace

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.record_codec import encode_epoch
from latentvqa.core.records import Histogram
from latentvqa.tracking.measures import epoch_measures, verdict_level
from tests.runs import HEADER, make_epoch, make_run


def test_the_names_are_the_places_in_the_log_and_the_numbers_are_its_own():
    record = make_epoch(3, val={"kl_tokens": (0.25, 0.5), "exact_match": 0.75})
    found = epoch_measures(record)
    assert found["epoch"] == 3
    assert (found["val/kl_tokens/0"], found["val/kl_tokens/1"]) == (0.25, 0.5)
    assert found["val/exact_match"] == 0.75
    line = encode_epoch(record)
    assert found["train/answer_loss"] == line["train"]["answer_loss"]
    assert found["kl_weight"] == line["kl_weight"]


def test_what_is_no_number_or_no_curve_is_left_out():
    val = replace(
        make_epoch(0).val,
        kl_histogram=Histogram((0.5,), (1, 2), (0.25, 2.0)),
        answer_loss=float("nan"),
        total_loss=None,
    )
    found = epoch_measures(replace(make_epoch(0), val=val, trainable={"vision": True}))
    assert not any("histogram" in name or "trainable" in name for name in found)
    assert found.keys().isdisjoint({"kind", "stage", "val/answer_loss", "val/total_loss"})


def test_a_worse_verdict_has_a_higher_level():
    crushed = {"information_bound": 0.1, "answer_gain": 0.01}
    healthy, worse = make_run(20), make_run(20, val=crushed)
    levels = [verdict_level(diagnose(HEADER, records)) for records in (healthy, worse)]
    assert levels[0] < levels[1] <= 4
