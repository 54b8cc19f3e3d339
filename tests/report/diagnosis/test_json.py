import json
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.what_if import what_if_free_bits
from latentvqa.history import History
from latentvqa.report.diagnosis.json import diagnosis_json, diagnosis_object
from latentvqa.report.diagnosis.judged_run import JudgedRun
from tests.runs import HEADER, KL, make_run
from tests.strategies import EPOCHS, HEADERS


def whole(header, records, what_if=None):
    history = History(header, tuple(records), ("A note.",), Path("runs/demo/metrics.jsonl"))
    found = diagnose(header, records, notes=history.notes)
    return diagnosis_object(JudgedRun(history, found, what_if=what_if))


def test_the_object_has_the_promised_shape():
    seen = json.loads(diagnosis_json([whole(HEADER, make_run(20))]))
    assert seen["schema"] == 1
    assert set(seen["verdict"]) == {"level", "code", "sentence"}
    assert seen["run"]["kl"]["free_bits"] == 0.1
    assert seen["run"]["last_epoch"] == 19
    assert seen["notes"] == ["A note."]
    finding = seen["findings"][0]
    assert (finding["code"], finding["epochs"], finding["is_open"]) == ("KL002", [0, 19], True)
    assert "what_if" not in seen


def test_advice_is_text_and_change():
    dear = replace(HEADER, kl=replace(KL, factor=20.0))
    gone = make_run(12, val={"information_bound": 0.1, "answer_gain": 0.01})
    findings = {f["name"]: f for f in whole(dear, gone)["findings"]}
    assert findings["collapse"]["advice"] == "kl.factor: 20 -> 0.26"
    assert findings["collapse"]["change"] == {"key": "kl.factor", "before": 20.0, "after": 0.26}
    assert (findings["kl_targets"]["advice"], findings["kl_targets"]["change"]) == (None, None)


def test_measures_carry_their_interval_where_the_log_has_an_error():
    metrics = whole(HEADER, make_run(20))["metrics"]
    assert metrics["exact_match"] == {"value": 0.875, "low": None, "high": None, "n": 200}
    gain = metrics["answer_gain"]
    assert gain["low"] < gain["value"] < gain["high"]
    assert metrics["kl_raw"]["n"] == 1000


def test_several_runs_stand_under_one_key():
    seen = json.loads(diagnosis_json([whole(HEADER, make_run(2)), whole(HEADER, [])]))
    assert [run["verdict"]["code"] for run in seen["runs"]] == ["ok", "no_epochs"]


def test_a_what_if_is_included_when_asked_for():
    seen = whole(HEADER, make_run(2), what_if_free_bits(HEADER, make_run(2), 0.05))
    assert seen["what_if"]["free_bits"] == 0.05
    assert seen["what_if"]["row"]["kl_after_low"] == 0.0


@given(HEADERS, st.lists(EPOCHS, max_size=3))
@settings(max_examples=40)
def test_any_record_is_strict_json(header, records):
    def refuse(token):
        raise AssertionError(token)

    json.loads(diagnosis_json([whole(header, records)]), parse_constant=refuse)
