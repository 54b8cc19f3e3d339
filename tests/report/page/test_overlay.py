import xml.etree.ElementTree as ET

from latentvqa.report.page.charts import COLOURS
from latentvqa.report.page.overlay import overlays, run_styles
from tests.report.diagnosis.judged import judged
from tests.runs import make_run

SVG = "{http://www.w3.org/2000/svg}"


def curves_of(overlay):
    lines = ET.fromstring(overlay.svg).iter(f"{SVG}polyline")
    return [(line.get("class"), line.get("stroke-dasharray"), line.get("points")) for line in lines]


def of(title, runs, names="ab"):
    return next(one for one in overlays(runs, list(names)) if one.title.startswith(title))


def test_every_run_has_its_colour_and_its_training_is_dotted():
    loss = of("Answer loss", [judged(make_run(3)), judged(make_run(5))])
    assert [(kind, dashes) for kind, dashes, _ in curves_of(loss)] == [
        ("curve c0", None),
        ("curve c0", "1 3"),
        ("curve c1", None),
        ("curve c1", "1 3"),
    ]
    assert loss.curve == "validation; dotted: training"


def test_runs_of_different_lengths_share_the_epochs_of_the_longest():
    loss = of("Answer loss", [judged(make_run(3)), judged(make_run(5))])
    short, _, long, _ = (points.split() for _, _, points in curves_of(loss))
    assert (len(short), len(long)) == (3, 5)
    assert [point.split(",")[0] for point in short] == [point.split(",")[0] for point in long[:3]]


def test_of_a_chart_with_several_measures_one_stands_for_the_run():
    runs = [judged(make_run(3)), judged(make_run(3))]
    information = of("Information", runs)
    assert information.curve == "learnt" and len(curves_of(information)) == 2
    assert not information.is_inner and of("Effective KL", runs).is_inner


def test_what_a_run_lacks_is_the_others_alone():
    bare = judged(make_run(3, train={"rate": None}, val={"rate": None}))
    rate = of("Rate", [bare, judged(make_run(3))])
    assert {kind for kind, *_ in curves_of(rate)} == {"curve c1"}


def test_runs_without_epochs_have_no_curves():
    assert overlays([judged([]), judged([])], ["a", "b"]) == []
    assert len(curves_of(of("Exact", [judged([]), judged(make_run(3))]))) == 2


def test_more_runs_than_colours_differ_in_their_dashes():
    styles = run_styles(COLOURS + 2)
    assert len(set(styles)) == COLOURS + 2
    assert styles[COLOURS].colour == styles[0].colour
