import csv
import io
import json
from dataclasses import replace

import pytest

from latentvqa.report.ablation.files import arms_csv, is_result, result_json, runs_csv
from tests.report.ablation.made import DEFAULT, WORSE, measured, result


def test_json_holds_measures_with_value_low_high_and_n():
    found = result_json(result(DEFAULT, WORSE))
    assert found["schema"] == 1
    assert json.loads(json.dumps(found)) == found
    assert found["arms"]["0.2"]["metrics"]["exact_match"] == {
        "value": pytest.approx(0.948),
        "low": 0.918,
        "high": 0.996,
        "n": 3,
    }
    against = found["arms"]["0.1"]["against_default"]
    assert against["word"] == "worse"
    assert against["over_seeds"]["exact_match"] == {
        "value": -0.148,
        "low": -0.25,
        "high": -0.0461,
        "n": 3,
    }
    assert against["over_images"]["n"] == 4000
    assert (against["p_value"], against["p_holm"]) == (None, None)
    assert found["smallest_detectable_difference"] is None
    assert found["arms"]["0.2"]["against_default"] is None
    assert found["arms"]["0.1"]["changes"] == {"kl.factor": 0.1}
    assert found["runs"][3] == {
        "number": 3,
        "arm": "0.1",
        "seed": 1,
        "folder": "runs/key3",
        "state": "finished",
        "message": "",
        "metrics": measured(0.9),
    }


def test_csv_has_a_row_per_arm_and_a_row_per_run():
    found = result(DEFAULT, WORSE, states={("0.1", 2): ("failed", "a, b")})
    default, other = csv.DictReader(io.StringIO(arms_csv(found)))
    assert (default["arm"], default["word"], default["exact_match_lowest"]) == ("0.2", "", "0.918")
    assert other["changes"] == "kl.factor = 0.1"
    assert other["exact_match_difference_high"] == "-0.0461"
    assert other["exact_match_difference_over_images_low"] == "-0.16"
    assert other["word"] == "worse"
    rows = list(csv.DictReader(io.StringIO(runs_csv(found))))
    assert [row["number"] for row in rows] == list("012345")
    assert (rows[5]["state"], rows[5]["message"], rows[5]["exact_match"]) == ("failed", "a, b", "")


def test_a_result_is_told_from_other_files(tmp_path):
    path = tmp_path / "plan.json"
    assert not is_result(path)
    for foreign in ("", "[]", '{"schema": 1, "name": "plan"}', "\xff"):
        path.write_text(foreign, encoding="latin-1")
        assert not is_result(path)
    path.write_text(json.dumps(result_json(result(DEFAULT, WORSE))))
    assert is_result(path)


def test_the_object_says_what_the_seeds_can_show():
    comparison = replace(WORSE.comparison, p_value=0.02, p_holm=0.06)
    arms = (DEFAULT, replace(WORSE, comparison=comparison))
    found = result_json(replace(result(*arms), smallest_detectable=0.07))
    against = found["arms"]["0.1"]["against_default"]
    assert (against["p_value"], against["p_holm"]) == (0.02, 0.06)
    assert against["word"] == "no difference shown"
    assert found["smallest_detectable_difference"] == 0.07
