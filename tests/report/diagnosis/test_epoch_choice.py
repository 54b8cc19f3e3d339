from hypothesis import given
from hypothesis import strategies as st

from latentvqa.core.rules.rule import Finding
from latentvqa.report.diagnosis.epoch_choice import LONG, choice_note, epochs_to_show
from tests.runs import make_run


def starting_at(epoch):
    return Finding("KL003", "kl_high", "warning", "High.", (epoch, epoch + 1), is_open=False)


def epochs(*arguments):
    return [record.epoch for record in epochs_to_show(*arguments)]


def test_a_run_that_is_not_long_is_shown_whole():
    assert epochs(make_run(LONG), [], 3) == list(range(LONG))


def test_first_last_and_evenly_spaced_epochs_are_shown():
    assert epochs(make_run(101), [], 5) == [0, 25, 50, 75, 100]


def test_epochs_where_a_finding_starts_are_among_them():
    assert epochs(make_run(101), [starting_at(7), starting_at(0)], 5) == [0, 7, 33, 67, 100]


def test_findings_may_bring_more_rows_than_wanted():
    findings = [starting_at(epoch) for epoch in (3, 5, 7)]
    assert epochs(make_run(50), findings, 2) == [0, 3, 5, 7, 49]


def test_what_is_missing_is_said():
    assert choice_note(12, 200) == "12 of 200 epochs shown; --all-epochs for all"
    assert choice_note(20, 20) == ""


RUN = make_run(90)


@given(st.integers(21, 90), st.lists(st.integers(0, 80), max_size=5), st.integers(2, 40))
def test_the_choice_is_in_order_without_repeats_and_holds_what_matters(length, first, rows):
    findings = [starting_at(min(epoch, length - 1)) for epoch in first]
    shown = epochs(RUN[:length], findings, rows)
    assert shown == sorted(set(shown))
    assert {0, length - 1, *(finding.epochs[0] for finding in findings)} <= set(shown)
    assert len(shown) <= max(rows, 2 + len(set(first)))
