import pytest

from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.epochs.accumulation import MOST_EPOCHS, MOST_WINDOWS, Accumulation
from latentvqa.logs.notes import Notes
from tests.logs.conftest import has_note, json_lines, table


def accumulated(rows, steps_per_epoch=None):
    held = Accumulation(Columns({}), Notes(), steps_per_epoch)
    held.add_all(rows)
    return held


@pytest.mark.parametrize("records", [1, 199, 200, 201, 1000, 40_001])
def test_windows_are_few_and_lose_no_value(records):
    held = accumulated({"kl": float(step)} for step in range(records))
    assert min(records, 100) <= len(held.buckets) <= MOST_WINDOWS
    assert sum(bucket.counts[0] for bucket in held.buckets.values()) == records
    assert sum(bucket.sums[0] for bucket in held.buckets.values()) == sum(range(records))
    full = {bucket.counts[0] for key, bucket in held.buckets.items() if key < max(held.buckets)}
    assert len(full) <= 1  # equal windows


def test_windows_follow_the_steps_not_the_rows():
    steps = [*range(0, 1000, 10), *range(1_000_000, 1_001_000, 10), 5]
    held = accumulated({"step": step, "kl": 1.0} for step in steps)
    assert len(held.buckets) <= MOST_WINDOWS
    assert held.buckets[0].counts == [2]  # steps 0 and 5
    assert sum(bucket.counts[0] for bucket in held.buckets.values()) == len(steps)


@pytest.mark.parametrize(
    ("steps", "epochs"),
    [
        ([0, 50, 100, 150], [0, 0, 1, 1]),  # before the step
        ([49, 99, 149, 199], [0, 0, 1, 1]),
        ([50, 100, 150, 200], [0, 0, 1, 1]),  # after it
        ([1, 100, 101, 200], [0, 0, 1, 1]),
    ],
)
def test_steps_become_epochs(steps, epochs):
    held = accumulated([{"step": step, "kl": 1.0} for step in steps], steps_per_epoch=100)
    assert [e for e, bucket in held.buckets.items() for _ in range(bucket.counts[0])] == epochs


def test_an_epoch_column_wins_over_steps_per_epoch(read):
    rows = [{"epoch": e, "step": 10 * e + s, "kl": 1.0} for e in range(3) for s in range(10)]
    history = read("log.jsonl", json_lines(rows), steps_per_epoch=1)
    assert len(history.records) == 3
    assert has_note(history, "--steps-per-epoch is not needed")


def test_epochs_that_are_steps_are_condensed(read):
    rows = [{"epoch": e, "kl": 1.0} for e in range(MOST_EPOCHS + 500)]
    history = read("log.jsonl", json_lines(rows))
    assert len(history.records) <= MOST_WINDOWS
    assert not history.header.counts_epochs
    assert has_note(history, "read as steps")


@pytest.mark.parametrize("epoch", ["x", -1, float("nan"), 1e300, True, [1]])
def test_an_unusable_epoch_goes_to_the_last_one(epoch):
    rows = [{"epoch": 3, "kl": 1.0}, {"epoch": epoch, "kl": 3.0}]
    assert list(accumulated(rows).buckets) == [3]


def test_windows_are_said_and_judge_no_epochs(read):
    history = read("log.jsonl", json_lines([{"step": s, "kl": 0.1} for s in range(400)]))
    assert not history.header.counts_epochs
    assert [record.epoch for record in history.records] == list(range(200))
    assert has_note(history, "condensed into 200 windows")


def test_a_repeated_epoch_of_steps_is_averaged(read):
    rows = [{"epoch": e, "step": s, "kl": float(s)} for e in range(4) for s in (0, 1, 2, 0, 1, 2)]
    assert read("log.jsonl", json_lines(rows)).records[0].train.kl_raw == 1.0


@pytest.mark.parametrize(
    ("epochs", "steps", "records"),
    [(1, 2, 1), (1, 3, 3), (1, 5000, 157), (3, 19, 3), (3, 20, 60), (3, 500, 189), (4, 500, 4)],
)
def test_few_epochs_of_many_steps_are_windows(read, epochs, steps, records):
    rows = [{"epoch": e, "step": s, "kl": float(s)} for e in range(epochs) for s in range(steps)]
    history = read("log.jsonl", json_lines(rows))
    assert len(history.records) == records
    assert history.header.counts_epochs == (records == epochs)
    last = history.records[-1].train.kl_raw
    assert last == pytest.approx((steps - 1) / 2 if records == epochs else steps - 1, abs=20)


def test_the_windows_of_few_epochs_do_not_cross_them(read):
    rows = [{"epoch": e, "step": s, "kl": float(e)} for e in range(2) for s in range(1000)]
    history = read("log.jsonl", json_lines(rows))
    assert {record.train.kl_raw for record in history.records} == {0.0, 1.0}
    assert has_note(history, "So few epochs hide the course of a run")


def run_of(epochs, kl, first=0):
    return [{"epoch": first + epoch, "kl": kl} for epoch in range(epochs)]


@pytest.mark.parametrize("first", [0, 1])
def test_of_appended_runs_the_last_is_read(read, first):
    rows = run_of(5, 0.1, first) + run_of(4, 0.2, first) + run_of(3, 0.3, first)
    history = read("log.jsonl", json_lines(rows))
    assert [record.train.kl_raw for record in history.records] == [0.3] * 3
    assert has_note(history, "9 rows before it left out")


def test_an_appended_run_of_steps_is_read_alone(read):
    rows = [{"epoch": e, "step": 4 * e + s, "kl": 0.1} for e in range(3) for s in range(4)]
    history = read("log.jsonl", json_lines(rows + [{**row, "kl": 0.2} for row in rows]))
    assert [record.train.kl_raw for record in history.records] == [0.2] * 3
    assert has_note(history, "12 rows before it left out")


@pytest.mark.parametrize("names", [("loss", "kl"), ("step", "kl")])
def test_a_heading_begins_another_run_where_no_epoch_says_otherwise(read, names):
    part = table([dict.fromkeys(names, value) for value in (1, 2, 3)])
    history = read("log.csv", part + part.replace("3", "7"))
    assert [record.train.kl_raw for record in history.records] == [1.0, 2.0, 7.0]
    assert has_note(history, "3 rows before it left out")


def test_rows_of_another_split_or_in_falling_order_are_no_other_run(read):
    rows = [{"split": s, "epoch": e, "kl": 0.1} for s in ("train", "val") for e in range(3)]
    assert not has_note(read("log.jsonl", json_lines(rows)), "left out")
    rows = [{"epoch": e, "train_kl": 0.1} for e in range(3)]
    rows += [{"epoch": e, "val_kl": 0.1} for e in range(3)]
    assert not has_note(read("log.jsonl", json_lines(rows)), "left out")
    assert len(read("log.jsonl", json_lines(run_of(5, 0.1)[::-1])).records) == 5


def test_a_resumed_run_keeps_the_epochs_before(read):
    history = read("log.jsonl", json_lines(run_of(6, 0.1) + run_of(3, 0.2, first=5)))
    assert [record.train.kl_raw for record in history.records] == [0.1] * 5 + [0.2] * 3


@pytest.mark.parametrize(
    ("epochs", "kls"),
    [
        ([0.5, 1.0, 1.5, 2.0], [0.5, 2.5]),  # places at the end of a step
        ([0.0, 0.5, 1.0, 1.5], [0.5, 2.5]),  # at its beginning
        ([1.5, 2.0, 2.5, 3.0], [0.5, 2.5]),
    ],
)
def test_fractions_of_epochs_are_counted_from_where_they_begin(read, epochs, kls):
    rows = [{"epoch": epoch, "kl": kl} for kl, epoch in enumerate(epochs)]
    history = read("log.csv", table(rows))
    assert [(r.epoch, r.train.kl_raw) for r in history.records] == list(enumerate(kls))
