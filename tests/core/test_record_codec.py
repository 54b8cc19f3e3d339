import json
import math

import pytest

from latentvqa.core.logged_values import SAFE_INTEGER, to_json
from latentvqa.core.record_codec import decode_epoch, decode_header, encode_epoch, encode_header
from latentvqa.core.records import Histogram, RunHeader
from tests.runs import HEADER, make_epoch


def test_absent_values_are_left_out_of_the_line():
    line = encode_epoch(make_epoch(0, gradient_norm=None))
    assert line["kind"] == "epoch"
    assert "gradient_norm" not in line
    assert line["train"]["kl_raw"] == 0.05


@pytest.mark.parametrize(("value", "token"), [(math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_infinities_travel_as_text(value, token):
    line = json.loads(json.dumps(encode_epoch(make_epoch(0, beta=value)), allow_nan=False))
    assert line["beta"] == token
    assert decode_epoch(line)[0].beta == value


def test_nan_travels_as_text():
    assert to_json(math.nan) == "NaN"
    assert math.isnan(decode_epoch({"epoch": 0, "stage": "full", "beta": "NaN"})[0].beta)


@pytest.mark.parametrize(
    "wrong", [{"beta": "a"}, {"beta": True}, {"beta": [1]}, {"beta": 10**400}, {"steps": 1.5}]
)
def test_a_value_of_a_wrong_type_is_left_out_and_named(wrong):
    record, faults = decode_epoch({"epoch": 3, "stage": "full", **wrong})
    assert (record.beta, record.steps) == (None, None)
    assert faults == list(wrong)


def test_a_nested_fault_is_named_with_its_place():
    line = {"epoch": 3, "stage": "full", "val": {"kl_raw": "x"}, "seconds": {"train": "y"}}
    record, faults = decode_epoch(line)
    assert faults == ["val.kl_raw", "seconds.train"]
    assert record.seconds == {}


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"epoch": 1},
        {"epoch": -1, "stage": "full"},
        {"epoch": 10**9, "stage": "full"},
        {"epoch": True, "stage": "full"},
        {"epoch": 1, "stage": "warm"},
    ],
)
def test_an_epoch_needs_a_number_and_a_stage(line):
    assert decode_epoch(line)[0] is None


def test_a_torn_histogram_is_dropped_whole():
    whole = {"edges": [0.1], "counts": [1, 2], "sums": [0.05, 0.5]}
    line = {"epoch": 0, "stage": "full", "train": {"kl_histogram": whole}}
    assert decode_epoch(line)[0].train.kl_histogram == Histogram((0.1,), (1, 2), (0.05, 0.5))
    for torn in ({**whole, "counts": [1]}, {**whole, "sums": ["x", 1]}, {"edges": [0.1]}):
        record, faults = decode_epoch({**line, "train": {"kl_histogram": torn}})
        assert record.train.kl_histogram is None
        assert "train.kl_histogram" in faults


def test_the_header_survives():
    assert decode_header(json.loads(json.dumps(encode_header(HEADER)))) == (HEADER, [])


def test_integers_beyond_what_json_readers_hold_are_refused():
    assert decode_epoch({"epoch": 0, "stage": "full", "steps": SAFE_INTEGER})[1] == []
    assert decode_epoch({"epoch": 0, "stage": "full", "steps": SAFE_INTEGER + 1})[1] == ["steps"]


def test_lone_surrogates_do_not_survive():
    header, _ = decode_header({"name": "a\ud800b"})
    header.name.encode("utf-8")


def test_a_text_or_a_truth_value_is_never_taken_for_a_number():
    line = {"epoch": 0, "stage": "full", "beta": "0.5", "trainable": {"vision": 1}, "gates": [True]}
    record, faults = decode_epoch(line)
    assert faults == ["beta", "trainable.vision", "gates"]
    assert (record.beta, record.trainable, record.gates) == (None, {}, ())


def test_a_whole_number_is_taken_for_a_float_and_a_whole_float_for_a_number():
    record, faults = decode_epoch({"epoch": 0.0, "stage": "full", "beta": 1, "gates": [0, 0.5]})
    assert faults == []
    assert (type(record.epoch), type(record.beta)) == (int, float)
    assert record.gates == (0.0, 0.5)


def test_an_event_without_a_required_value_is_dropped_whole():
    event = {"epoch": 3, "action": "change", "rule": "KL001", "key": "kl.factor", "before": 0.2}
    record, faults = decode_epoch({"epoch": 3, "stage": "full", "tuning": event})
    assert record.tuning is None
    assert faults == ["tuning.after", "tuning.best_before", "tuning"]


def test_a_fault_below_a_name_with_a_lone_surrogate_is_found():
    record, faults = decode_epoch({"epoch": 0, "stage": "full", "seconds": {"a\ud800": "x"}})
    assert record.seconds == {}
    assert faults == ["seconds"]


def test_a_header_of_our_own_says_nothing_of_other_tools():
    assert not {"unjudged", "kl_candidates", "kl_resolution"} & encode_header(RunHeader()).keys()
    header = RunHeader(unjudged="None.", kl_candidates=("a",), kl_resolution=0.5)
    assert decode_header(encode_header(header)) == (header, [])
