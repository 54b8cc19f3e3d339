from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentvqa.core.diagnosis.verdict import Verdict
from latentvqa.report.diagnosis.comparison import (
    MEASURES,
    comparison_rows,
    comparison_table,
    nats_text,
)
from tests.report.diagnosis.judged import SICK, judged
from tests.report.diagnosis.test_tables import shown
from tests.runs import HEADER, make_run
from tests.strategies import EPOCHS

BARE = {"kl_raw": None, "kl_after": None, "capacity": None, "active_units": None}


def with_verdict(run, level, code):
    diagnosis = replace(run.diagnosis, verdict=Verdict(level, code, "Said."))
    return replace(run, diagnosis=diagnosis)


RUNS = [
    judged(make_run(20, val={"capacity": 12.0}), name="healthy"),
    judged(make_run(20, val={**SICK["val"], "capacity": 0.5}), name="collapsed"),
    with_verdict(
        judged(make_run(3, train=BARE, val=BARE), name="a-run-with-quite-a-long-name"),
        "info",
        "capacity_far_above_need",
    ),
    judged([], name="empty"),
]


def test_the_comparison_at_80_columns():
    assert (
        shown(comparison_table(RUNS, 80))
        == """\

                                   KL     not rate, answers answer       latent
 run                     epochs   raw charged   can   need,  train exact   dims
 verdict                  stage after       % carry  learnt    val     % in use
 ──────────────────────────────────────────────────────────────────────────────
 healthy                     20 0.050      30  19.2    1.70  0.050  87.5    384
 ok                        full 0.035          12.0    1.60  0.055
 collapsed                   20 0.050      30  19.2    1.70  0.050  87.5    384
 critical: collapse        full 0.035           0.5    0.10  0.055
 a-run-with-quite-a-          3     -       -  19.2    1.70  0.333  87.5      -
 long-name               warmup     -             -    1.60  0.367
 info: capacity far
 above need
 empty                        0     -       -     -       -      -     -      -
 critical: no epochs          -     -             -       -      -

rate, can carry, need, learnt: nats per example
"""
    )


def test_the_comparison_at_60_columns_keeps_what_matters():
    assert (
        shown(comparison_table(RUNS, 60), 60)
        == """\

                              KL rate, answers answer
 run                         raw   can   need,  train exact
 verdict                   after carry  learnt    val     %
 ──────────────────────────────────────────────────────────
 healthy                   0.050  19.2    1.70  0.050  87.5
 ok                        0.035  12.0    1.60  0.055
 collapsed                 0.050  19.2    1.70  0.050  87.5
 critical: collapse        0.035   0.5    0.10  0.055
 a-run-with-quite-a-long-      -  19.2    1.70  0.333  87.5
 name                          -     -    1.60  0.367
 info: capacity far above
 need
 empty                         -     -       -      -     -
 critical: no epochs           -     -       -      -

rate, can carry, need, learnt: nats per example
no room for: epochs; stage; not charged, %; latent dims in
use (a wider terminal shows them)
"""
    )


@pytest.mark.parametrize("width", [30, 60, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(width):
    text = shown(comparison_table(RUNS, width), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text


def test_runs_of_one_name_are_named_by_their_folder():
    runs = [judged([], name="x"), judged([], name="x"), judged([], name="y")]
    names, rows = comparison_rows(runs)
    assert names == ["runs/x", "runs/x", "y"]
    assert all(len(row) == len(MEASURES) for row in rows)


def test_names_never_steer_the_terminal():
    text = shown(comparison_table([judged([], name="\x1b[2J[red]x[/]")] * 1, 80))
    assert "\x1b" not in text and "[red]x[/]" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (1.676, "1.68"),
        (0.0, "0.00"),
        (-0.0001, "-1e-04"),
        (250.4, "250"),
        (1e6, "1e+06"),
        (float("inf"), "inf"),
    ],
)
def test_nats_are_short(value, text):
    assert nats_text(value) == text


@given(st.lists(st.lists(EPOCHS, max_size=2), min_size=1, max_size=3), st.integers(10, 120))
@settings(max_examples=40)
def test_any_runs_can_be_compared(runs, width):
    assert shown(comparison_table([judged(records, header=HEADER) for records in runs], width))
