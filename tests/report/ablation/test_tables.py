import io
from dataclasses import replace

import pytest
from rich.console import Console

from latentvqa.report.ablation.tables import result_panel, runs_table
from tests.report.ablation.made import DEFAULT, SEEDS, WORSE, arm, compared, result


def text_of(renderable, width):
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


AT_80 = """\
kl-factor  KL factor: 0.1 or 0.2

 arm,           exact  answer     KL            not  shuf-
 mean over      match    loss    raw  rate  charged   fled
 3 seeds            %    nats   nats  nats        %      %  epochs   sec
 ────────────────────────────────────────────────────────────────────────
 0.2 (default)   94.8   0.100  0.080   120      100   20.0       9  50.2
   lowest        91.8   0.100  0.080   120      100   20.0       9  50.2
   highest       99.6   0.100  0.080   120      100   20.0       9  50.2
 0.1             80.0   0.100  0.080   120      100   20.0       9  50.2
   lowest        79.0   0.100  0.080   120      100   20.0       9  50.2
   highest       81.0   0.100  0.080   120      100   20.0       9  50.2


           exact                                 answer
 against  match,          95 %,           95 %,   loss,
 0.2      points     over seeds     over images    nats  in a word
 ──────────────────────────────────────────────────────────────────
 0.1       -14.8  -25.0 to -4.6  -16.0 to -13.9  +0.034  worse

95 % intervals: paired t test over 3 seeds; paired bootstrap over images, for
these very runs. Better or worse: both leave out 0 on the same side."""


def test_the_tables_at_a_width_of_80():
    assert text_of(result_panel(result(DEFAULT, WORSE), 80), 80) == AT_80


def test_what_so_many_seeds_and_arms_can_show_stands_below():
    other = replace(WORSE, name="0.15", comparison=replace(WORSE.comparison, p_holm=0.3))
    first = replace(WORSE, comparison=replace(WORSE.comparison, p_holm=0.0123))
    found = replace(result(DEFAULT, first, other), smallest_detectable=0.0719)
    text = " ".join(text_of(result_panel(found, 80), 80).split())
    assert "corrected for 2 arms (Holm), to be below 0.05 as well: 0.1 0.012, 0.15 0.3." in text
    assert "in four of five repetitions, at this spread: 7.2 points." in text
    assert text.count("no difference shown") == 1  # of two with the same intervals
    alone = replace(result(DEFAULT, first), smallest_detectable=0.0719)
    assert "Holm" not in text_of(result_panel(alone, 80), 80)


@pytest.mark.parametrize("width", [40, 50, 60])
def test_a_narrow_terminal_gets_fewer_columns_and_no_broken_figure(width):
    text = text_of(result_panel(result(DEFAULT, WORSE), width), width)
    assert max(map(len, text.splitlines())) <= width
    assert "94.8" in text and "50.2" not in text
    assert "seconds (a wider terminal shows them)" in " ".join(text.split())
    assert "(default)" in text and "  highest" in text
    assert "no room for: answer loss, nats" in " ".join(text.split())
    assert "-25.0 to -4.6" in text and "-16.0 to -13.9" in text
    assert "worse" in text
    assert "…" not in text


def test_a_long_arm_name_is_folded_and_the_figures_stay_with_it():
    long = arm("a name that is much longer than any column", [0.5, 0.6, 0.7])
    text = text_of(result_panel(result(DEFAULT, long), 80), 80)
    assert max(map(len, text.splitlines())) <= 80
    line = next(line for line in text.splitlines() if "a name that" in line)
    assert "60.0" in line


def test_one_seed_has_no_spread_and_the_caption_says_what_its_interval_is():
    single = arm("0.1", [0.8], compared(-0.1, (None, None), (-0.2, -0.05), n=1))
    text = text_of(result_panel(result(arm("0.2", [0.9]), single, seeds=(0,)), 80), 80)
    assert "lowest" not in text
    assert "-20.0 to -5.0" in text
    assert "says nothing of other seeds" in text
    assert "worse" in text


def test_runs_that_failed_or_are_not_there_yet_are_told():
    states = {
        ("0.1", 0): ("failed", "kl_raw became NaN\nin epoch 3"),
        ("0.1", 1): ("interrupted", ""),
        ("0.1", 2): ("waiting", ""),
        ("0.2", 2): ("waiting", ""),
    }
    partly = arm("0.2", [0.9, 0.8])
    notes = ("Not all runs were trained on the same table.",)
    found = result(partly, arm("0.1", []), states=states, notes=notes)
    text = text_of(result_panel(found, 80), 80)
    assert "0.2 (default) (2 of" in text
    assert "0.1 (0 of 3 seeds)" in text
    assert "failed: 0.1, seed 0: kl_raw became NaN\nin epoch 3" in text
    assert "1 interrupted, 2 waiting of 6 runs: not in the tables" in text
    assert notes[0] in text


def test_with_nothing_finished_there_is_no_table():
    empty = {(name, seed): ("waiting", "") for name in ("0.1", "0.2") for seed in SEEDS}
    text = text_of(result_panel(result(arm("0.2", []), arm("0.1", []), states=empty), 80), 80)
    assert text.splitlines()[-1] == "6 waiting of 6 runs: not in the tables"
    assert "─" not in text


def test_what_no_model_has_takes_no_column_and_what_some_lack_is_missing():
    none = arm("none", [0.9] * 3, kl_raw=None)
    without = text_of(result_panel(result(none), 80), 80)
    assert "rate" not in without
    beside = text_of(result_panel(result(DEFAULT, none), 80), 80)
    (line,) = (line for line in beside.splitlines() if line.startswith(" none "))
    assert line.split()[3:6] == ["-", "-", "-"]


def test_control_characters_in_names_do_not_reach_the_terminal():
    assert "\x1b" not in text_of(result_panel(result(arm("a\x1b[2J", [0.5] * 3)), 80), 80)


def test_a_long_arm_name_is_whole_in_the_list_of_runs():
    long = arm("a_deterministic_bottleneck_without_kl", [0.9])
    text = text_of(runs_table(result(long)), 60)
    assert "…" not in text and "a_deterministic_" in text and "bottleneck_without_" in text


def test_the_list_numbers_the_runs_as_they_are_asked_for():
    text = text_of(runs_table(result(DEFAULT, WORSE, states={("0.1", 1): ("running", "")})), 80)
    rows = [line.split() for line in text.splitlines() if "runs/" in line]
    assert rows[0] == ["0", "0.2", "0", "finished", "runs/key0"]
    assert rows[3] == ["3", "0.1", "1", "running", "runs/key3"]
    assert len(rows) == 6
