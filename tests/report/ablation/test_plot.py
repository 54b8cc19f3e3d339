from dataclasses import replace

import pytest

from latentvqa.core.ablation import AblationResult, RunResult
from latentvqa.report.ablation.plot import ablation_figure, ablation_png
from tests.report.ablation.made import DEFAULT, WORSE, arm, compared, measured, result
from tests.report.drawn_texts import boxes, outside, overlapping

PNG = b"\x89PNG"
NAMES = ("0.1", "kl.factor 0.05 with free bits of a tenth and no teacher at all", "x" * 200, "$a$")


@pytest.mark.parametrize(
    "found",
    [
        result(DEFAULT, WORSE),
        result(DEFAULT),
        result(arm("none", [0.5] * 3, kl_raw=None), seeds=(0,)),
        result(DEFAULT, arm("0.1", [])),
        result(DEFAULT, arm("0.1", [0.5], compared(-0.1, (None, None), None, n=1))),
        result(*(arm(f"arm {i}, of many with a long name", [0.5] * 3) for i in range(12))),
    ],
)
def test_the_plot_is_a_picture_whatever_is_missing(found):
    assert ablation_png(found).startswith(PNG)


def crowded(seeds):
    """Arms with long names, runs that lie close together, and a long description."""
    arms = [DEFAULT, *(arm(name, [0.8] * 3, WORSE.comparison) for name in NAMES)]
    runs = [
        RunResult(
            one.name, seed, "key", "finished", "", measured(0.9) | {"rate": 133.2 + seed / 90}
        )
        for one in arms
        for seed in range(seeds)
    ]
    about = "what is asked is described at length " * 9
    return AblationResult("kl-factor", about, "0.2", tuple(range(seeds)), arms, runs, [])


@pytest.mark.parametrize(
    "found",
    [
        result(DEFAULT, WORSE),
        result(arm("none", [0.5] * 3, kl_raw=None), seeds=(0,)),
        result(*(arm(f"arm {i}, of many with a long name", [0.5] * 3) for i in range(12))),
        crowded(2),
        crowded(12),
    ],
    ids=["two arms", "one run", "many arms", "long names", "many seeds"],
)
def test_no_label_hides_another_or_leaves_the_picture(found):
    figure = ablation_figure(found)
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_every_seed_is_named_or_counted():
    shown = [text for text, _ in boxes(ablation_figure(crowded(12)))]
    assert "seed 7" in shown and "4 more seeds" in shown
    assert "95 % over seeds" in shown and "95 % over images" in shown


def test_every_chart_shows_something():
    bare = replace(result(DEFAULT, arm("0.1", [])), notes=())
    assert all(axis.has_data() for axis in ablation_figure(bare).get_axes())


def test_the_mark_of_the_mean_is_explained_where_there_is_one():
    assert "mean" in [text for text, _ in boxes(ablation_figure(result(DEFAULT, WORSE)))]
    alone = result(arm("none", [0.5] * 3, kl_raw=None), seeds=(0,))
    assert "mean" not in [text for text, _ in boxes(ablation_figure(alone))]


def test_every_other_arm_has_a_band_through_all_charts():
    figure = ablation_figure(crowded(2))
    bands = [len(axis.patches) for axis in figure.get_axes()]
    assert set(bands) == {3}  # of five arms


def test_a_picture_is_as_high_as_its_arms_need():
    heights = [
        ablation_figure(
            result(*(arm(f"arm {i}", [0.5] * 3) for i in range(count)))
        ).get_size_inches()[1]
        for count in (2, 8, 24)
    ]
    assert heights[0] < heights[1] < heights[2]
    assert heights[2] - heights[1] == pytest.approx(16 / 6 * (heights[1] - heights[0]))


def test_intervals_have_colours_that_no_seed_has():
    figure = ablation_figure(result(DEFAULT, WORSE))
    named = {one.get_label(): one.get_color() for one in figure.legends[0].get_lines()}
    intervals = {colour for name, colour in named.items() if name.startswith("95 %")}
    seeds = {colour for name, colour in named.items() if name.startswith("seed")}
    assert len(intervals) == 2 and seeds and not intervals & seeds
