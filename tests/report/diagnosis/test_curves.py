from dataclasses import replace

from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.report.diagnosis.curves import (
    Mark,
    StageSpan,
    Start,
    charts,
    finding_marks,
    stage_spans,
    starts,
)
from tests.report.diagnosis.judged import SICK, judged
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


def test_findings_are_marked_where_they_start_with_the_worst_level():
    run = judged(make_run(12, lambda n: SICK if n > 5 else {}))
    marks = {mark.name: mark for mark in finding_marks(run.diagnosis)}
    assert marks["collapse"] == Mark("IN002", "collapse", "critical", 6, 11, is_open=True)
    assert marks["kl_targets"].first == 0
    first, second = starts(finding_marks(run.diagnosis))
    assert first == Start(0, "ok", ("KL002",)) and first.is_remark
    assert (second.epoch, second.level, second.is_remark) == (6, "critical", False)
    assert "IN002" in second.codes


def test_a_past_finding_says_so_in_its_label():
    past = Mark("TR003", "overfitting", "warning", 2, 4, is_open=False)
    assert past.label == "TR003 overfitting (past)"
