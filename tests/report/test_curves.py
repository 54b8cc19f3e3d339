from dataclasses import replace

from latentvqa.core.thresholds import KLHealthThresholds
from latentvqa.report.curves import StageSpan, charts, stage_spans
from tests.runs import HEADER, KL, make_run


def chart(title, *arguments):
    return next(chart for chart in charts(*arguments) if chart.title.startswith(title))


def test_bands_and_lines_come_from_the_thresholds_and_the_header():
    limits = KLHealthThresholds(healthy_kl_low=0.02)
    kl = chart("KL", HEADER, make_run(3), limits)
    assert kl.band[:2] == (0.02, limits.healthy_kl_high)
    assert kl.lines == ((0.1, "free_bits"),)
    assert chart("Answer", HEADER, make_run(3)).lines == ((0.8, "target"),)


def test_the_band_is_converted_for_sum_reduction():
    header = replace(HEADER, kl=replace(KL, reduction="sum"))
    assert chart("KL", header, make_run(3)).band[0] == 0.03 * 64


def test_charts_without_a_value_are_left_out():
    bare = {"kl_raw": None, "kl_after": float("nan")}
    titles = [chart.title for chart in charts(HEADER, make_run(2, train=bare, val=bare))]
    assert not any(title.startswith("KL per") for title in titles)


def test_stages_are_stretches():
    assert stage_spans(make_run(17)) == (StageSpan("warmup", 0, 14), StageSpan("full", 15, 16))
    assert stage_spans([]) == ()
