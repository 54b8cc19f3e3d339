import xml.etree.ElementTree as ET
from dataclasses import replace

from latentvqa.core.results.latent_use import MeanAttention
from latentvqa.report.evaluation.heat_map import colour_on_grey
from latentvqa.report.page.result_charts import (
    SIDE,
    TOP,
    attention_maps,
    reliability_chart,
    risk_chart,
)
from tests.report.evaluation.made import made_evaluation
from tests.report.page.made import ATTENTION, CONFIDENCE

SVG = "{http://www.w3.org/2000/svg}"


def told(root):
    return [one.text.replace("\N{NO-BREAK SPACE}", " ") for one in root.iter(f"{SVG}title")]


def test_a_bar_of_the_reliability_is_as_high_as_its_share_right_and_tells_it():
    root = ET.fromstring(reliability_chart(CONFIDENCE))
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("class") == "share"]
    assert [float(bar.get("height")) for bar in bars] == [0.1 * SIDE, 0.9 * SIDE]
    assert told(root)[0] == (
        "confidence 0.0 % to 50.0 %: 20 answers, mean confidence 40.0 %, right 10.0 %"
    )


def test_the_risk_is_a_curve_that_tells_its_points():
    root = ET.fromstring(risk_chart(CONFIDENCE))
    (curve,) = root.iter(f"{SVG}polyline")
    last = curve.get("points").split()[-1].split(",")
    assert float(last[1]) == TOP  # the axis ends at the next round share
    shown = [one.text for one in root.iter(f"{SVG}text")]
    assert "25 %" in shown and shown.count("0 %") == 2
    assert told(root)[-1] == "the surest 100.0 % of the answers: 25.0 % wrong"


def test_a_long_curve_is_drawn_with_points_taken_evenly_and_its_last():
    points = tuple((n / 5000, 0.25) for n in range(1, 5001))
    root = ET.fromstring(risk_chart(replace(CONFIDENCE, risk_coverage=points)))
    assert len(next(root.iter(f"{SVG}polyline")).get("points").split()) == 120
    assert told(root)[-1].startswith("the surest 100.0 %")


def test_nothing_recorded_is_an_empty_picture():
    bare = made_evaluation().confidence
    for picture in (reliability_chart(bare), risk_chart(bare)):
        assert told(ET.fromstring(picture)) == []


def test_attention_is_a_map_of_all_tokens_and_of_each_in_the_colours_of_the_picture_file():
    *maps, (scale, told_of_it) = attention_maps(ATTENTION)
    assert [line for _, line in maps] == [
        "all 2 tokens, question 45 %",
        "token 0, question 40 %",
        "token 1, question 50 %",
    ]
    cells = [list(ET.fromstring(picture).iter(f"{SVG}rect")) for picture, _ in maps]
    # an even share is 1; token 0 looks at 2/3 and 4/3 of it, token 1 at one place alone
    assert [one.get("style") for one in cells[1]] == [
        f"fill:{colour_on_grey(share)}" for share in (1 / 3, 2 / 3)
    ]
    assert [one.get("style") for one in cells[2]] == ["fill:#e0be46", "fill:#808080"]
    assert told(ET.fromstring(maps[1][0]))[1] == "row 1, column 2: 1.33 times an even share"
    shown = [one.text for one in ET.fromstring(scale).iter(f"{SVG}text")]
    assert shown == ["0", "1 even", "2"] and told_of_it == ""


def test_a_single_token_has_one_map():
    one = replace(ATTENTION, mean=ATTENTION.mean[:1])
    assert [line for _, line in attention_maps(one)] == ["token 0, question 40 %", ""]


def test_maps_of_another_shape_than_their_grid_are_left_out():
    assert attention_maps(MeanAttention((2, 2), ((0.5, 0.5),))) == []
    assert attention_maps(MeanAttention((2, 2), ())) == []
