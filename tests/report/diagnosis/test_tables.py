from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from latentvqa.core.diagnosis.diagnose import Diagnosis, diagnose
from latentvqa.core.diagnosis.verdict import NextStep, Verdict
from latentvqa.core.diagnosis.what_if import what_if_free_bits
from latentvqa.core.histogram import histogram_edges
from latentvqa.core.records import StagePlan
from latentvqa.core.rules.rule import Advice, Finding
from latentvqa.report.diagnosis.tables import (
    account_table,
    epoch_line,
    epoch_table,
    findings_table,
    not_judged_lines,
    verdict_name,
    verdict_panel,
    what_if_table,
)
from tests.core.test_histogram import fill
from tests.runs import HEADER, make_epoch, make_run
from tests.strategies import EPOCHS


def shown(renderable, width=80):
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(renderable)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


DIAGNOSIS = Diagnosis(
    Verdict("warning", "overfitting", "Overfitting (high): validation is far above training."),
    (
        Finding(
            "TR003",
            "overfitting",
            "warning",
            "Overfitting (high): validation is far above training.",
            (17, 19),
            True,
            advice=Advice("teacher.weight", 0.3, 0.2),
        ),
        Finding("KL003", "kl_high", "warning", "kl_raw 0.2 is [bold]high[/].", (3, 3), False),
    ),
    NextStep("", Advice("teacher.weight", 0.3, 0.2), "overfitting"),
    ("leak: at temperature 0 there is no bound to exceed",),
    ("Line 4 is cut in the middle and was left out.",),
)


def test_the_epoch_table_at_80_columns():
    records = [make_epoch(n, effective_kl_weight=0.2 * n) for n in (0, 14, 15)]
    assert (
        shown(epoch_table(HEADER, records, 80))
        == """\
demo
                                                     not      latent over-
              KL answer answer exact    KL    KL charged rate   dims   fit
ep stage  weight  train    val     %   raw after       % nats in use ratio  sec
───────────────────────────────────────────────────────────────────────────────
 0 warmup   0.00  1.000  1.100  87.5 0.050 0.035      30 19.2    384  1.10 45.0
14 warmup   2.80  0.067  0.073  87.5 0.050 0.035      30 19.2    384  1.10 45.0
15 full     3.00  0.062  0.069  87.5 0.050 0.035      30 19.2    384  1.10 45.0
"""
    )


def test_the_epoch_table_at_60_columns_keeps_what_matters():
    assert (
        shown(epoch_table(HEADER, [make_epoch(15)], 60), 60)
        == """\
demo
                                                    not
             KL answer answer exact    KL    KL charged rate
ep stage weight  train    val     %   raw after       % nats
────────────────────────────────────────────────────────────
15 full    3.00  0.062  0.069  87.5 0.050 0.035      30 19.2
no room for: latent dims in use; overfit ratio; seconds (a
wider terminal shows them)
"""
    )


def test_a_note_stands_below_the_epochs():
    text = shown(epoch_table(HEADER, make_run(1), 80, "1 of 30 epochs shown"))
    assert text.splitlines()[-1] == "1 of 30 epochs shown"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_cut(width):
    text = shown(epoch_table(HEADER, make_run(20), width), 200)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in shown(epoch_table(HEADER, make_run(20), width), width)


def test_columns_without_any_value_are_not_shown():
    bare = {"kl_raw": None, "kl_after": None, "rate": None}
    text = shown(epoch_table(HEADER, make_run(2, train=bare, val=bare)))
    assert "raw" not in text
    assert "rate" not in text


def test_the_findings_table_at_80_columns():
    assert (
        shown(findings_table(DIAGNOSIS))
        == """\

 level    code   epochs  finding
 ──────────────────────────────────────────────────────────────────────────────
 warning  TR003  17-19   Overfitting (high): validation is far above training.
                         teacher.weight: 0.3 -> 0.2
 past     KL003  3       kl_raw 0.2 is [bold]high[/].

"""
    )


def test_the_verdict_panel_at_80_columns():
    assert (
        shown(verdict_panel(DIAGNOSIS))
        == """\
╭─ warning: overfitting ───────────────────────────────────────────────────────╮
│ Overfitting (high): validation is far above training.                        │
│ Next: Try teacher.weight: 0.3 -> 0.2 (overfitting).                          │
│ Note: Line 4 is cut in the middle and was left out.                          │
│ Not judged: leak: at temperature 0 there is no bound to exceed               │
╰──────────────────────────────────────────────────────────────────────────────╯
"""
    )


def test_the_account_at_80_columns():
    assert (
        shown(account_table(diagnose(HEADER, make_run(1, beta=0.5))))
        == """\
rate         19.2 nats (27.7 bits) What the loss pays for, per example, 11.3
                                   times what the answers need.
beta         0.5 per nat           A nat of rate costs as much as 0.5 nats of
                                   answer loss once free bits are used up.
answers need 1.7 nats              The information the answers need, were they
                                   all learnt.
learnt       1.6 nats              94.1 % of what the answers need, enough to
                                   call them learnt.
by the image 1 nats                What is learnt beyond the best model that
                                   sees no image.
capacity     5.3 nats at t = 0.5   The most that the latent can carry to the
                                   decoder, 3.12 times what the answers need.
"""
    )


def test_the_account_keeps_to_two_columns_where_there_is_little_room():
    lines = shown(account_table(diagnose(HEADER, make_run(1)), 60), 60).splitlines()
    assert lines[0].rstrip() == "rate         19.2 nats (27.7 bits). What the loss pays for,"
    assert max(map(len, lines)) <= 60


def test_another_allowance_at_80_columns():
    histogram = fill([0.04, 0.06, 0.09, 0.11, 0.2], histogram_edges(0.1))
    record = make_epoch(3, train={"kl_histogram": histogram})
    assert (
        shown(what_if_table(what_if_free_bits(HEADER, [record], 0.07)))
        == """\

 free_bits       KL after          reduction
 ───────────────────────────────────────────
         0            0.1                0 %
      0.01           0.09               10 %
      0.02           0.08               20 %
      0.05          0.052               48 %
      0.07          0.038             62 % <
       0.1          0.022               78 %
       0.2  0 to 9.30e-05    99.9 % to 100 %

"""
    )


def test_another_allowance_from_averages_at_80_columns():
    assert (
        shown(what_if_table(what_if_free_bits(HEADER, make_run(2), 0.02)))
        == """\

 free_bits      KL after        reduction
 ────────────────────────────────────────
         0          0.05              0 %
      0.01  0.04 to 0.05      0 % to 20 %
      0.02  0.03 to 0.05    0 % to 40 % <
      0.05     0 to 0.05     0 % to 100 %
       0.1    0 to 0.035    30 % to 100 %
       0.2    0 to 0.035    30 % to 100 %

"""
    )


def test_few_reasons_not_to_judge_are_given_in_full():
    diagnosis = diagnose(HEADER, make_run(20, val={"information_bound": None}))
    assert not_judged_lines(diagnosis) == [
        "Not judged: leak, latent ignored, capacity near need: the log holds no answer entropy, "
        "gain or information bound",
        "Not judged: memorised: the log holds no gain over models that see no image",
    ]
    assert (
        shown(verdict_panel(diagnosis))
        == """\
╭─ ok ─────────────────────────────────────────────────────────────────────────╮
│ 1.6 of the 1.7 nats that the answers need are learnt, 1 of them by the       │
│ image. The loss pays for 19.2.                                               │
│ Next: Confirm it: latentvqa evaluate RUN --latent-use                        │
│ Not judged: leak, latent ignored, capacity near need: the log holds no       │
│ answer entropy, gain or information bound                                    │
│ Not judged: memorised: the log holds no gain over models that see no image   │
╰──────────────────────────────────────────────────────────────────────────────╯
"""
    )


def test_many_reasons_not_to_judge_are_counted():
    bare = {"kl_raw": None, "kl_after": None, "kl_share": None}
    header = replace(HEADER, teacher_weight=None)
    diagnosis = diagnose(header, make_run(20, train=bare, val={**bare, "answer_gain": None}))
    assert not_judged_lines(diagnosis) == [
        "Not judged: 18 rules, for 7 reasons; --format markdown lists them."
    ]


def test_text_of_a_log_is_never_markup_and_never_steers_the_terminal():
    steering = replace(HEADER, name="\x1b[2J[red]x[/]")
    assert shown(epoch_table(steering, make_run(1))).startswith("[2J[red]x[/]\n")
    assert "[bold]high[/]" in shown(findings_table(DIAGNOSIS))


def test_one_line_per_epoch_where_there_is_no_terminal():
    diagnosis = diagnose(HEADER, make_run(16))
    assert epoch_line(HEADER, make_epoch(15), diagnosis) == (
        "epoch 15/49  full  answer 0.062  val 0.069  exact 87.5 %  kl 0.050  weight 3.00  "
        "rate 19.2  s 45.0  [ok]"
    )
    assert epoch_line(HEADER, make_epoch(0, effective_kl_weight=None)).startswith(
        "epoch 0/49  warmup  answer 1.000  val 1.100"
    )


def test_a_line_leaves_out_a_plan_and_a_stage_that_are_unknown():
    record = replace(make_epoch(3), stage="unknown")
    for header in (
        replace(HEADER, stages=StagePlan(0, 0, 0)),
        replace(HEADER, kl=replace(HEADER.kl, is_assumed=True)),
        replace(HEADER, kl=replace(HEADER.kl, unknown=("tokens",))),
        replace(HEADER, counts_epochs=False),
    ):
        assert epoch_line(header, record).startswith("epoch 3  answer")


@given(st.lists(EPOCHS, min_size=1, max_size=4), st.integers(10, 120))
@settings(max_examples=40)
def test_any_record_can_be_shown(records, width):
    assert shown(epoch_table(HEADER, records, width), width)
    assert epoch_line(HEADER, records[0], diagnose(HEADER, records[:1]))


def test_a_fault_of_the_first_epochs_is_headed_by_what_is_still_to_come():
    sick = {"information_bound": 0.5, "answer_gain": 0.1}
    early = diagnose(HEADER, make_run(2, val=sick))
    assert verdict_name(early) == "info: too early to judge"
    assert epoch_line(HEADER, make_epoch(1), early).endswith("[info: too early to judge]")
    assert shown(verdict_panel(early)).startswith("╭─ info: too early to judge ─")
    assert verdict_name(diagnose(HEADER, make_run(7, val=sick))) == "critical: collapse"
