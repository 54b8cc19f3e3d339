import pytest

from latentvqa.logs.readers.printed_tables import printed_table
from tests.logs.conftest import has_note

VALUES = [(0, 12.5, 0.25), (1, 10.0, 0.5), (2, 9.0, 0.75)]
SHAPES = {
    "Markdown": "| epoch | recon | kl |\n|---|---:|---|\n"
    + "".join(f"| {e} | {r} | {k} |\n" for e, r, k in VALUES),
    "bars inside": "epoch | recon | kl\n------+-------+---\n"
    + "".join(f"{e} | {r} | {k}\n" for e, r, k in VALUES),
    "ruled": "+-------+-------+----+\n| epoch | recon | kl |\n+-------+-------+----+\n"
    + "".join(f"| {e} | {r} | {k} |\n+---+---+---+\n" for e, r, k in VALUES),
    "boxed": "┃ epoch ┃ recon ┃ kl ┃\n┡━━━━━━━╇━━━━━━━╇━━━━┩\n"
    + "".join(f"│ {e} │ {r} │ {k} │\n" for e, r, k in VALUES),
    "spaces": "Started.\n\n epoch   recon    kl\n"
    + "".join(f"{e:6d}{r:8.2f}{k:6.2f}\n" for e, r, k in VALUES),
    "hash": "# epoch recon kl\n" + "".join(f"{e} {r} {k}\n" for e, r, k in VALUES),
    "named index": "       recon    kl\nepoch\n"
    + "".join(f"{e}  {r:8.2f}  {k}\n" for e, r, k in VALUES),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_printed_table_is_read(read, shape):
    records = read("out.txt", SHAPES[shape] + "\nDone.\n").records
    assert [(r.epoch, r.train.answer_loss, r.train.kl_raw) for r in records] == VALUES


def test_row_numbers_without_a_name_are_no_epochs(read):
    text = "     recon    kl\n" + "".join(f"{e}  {r:8.2f}  {k}\n" for e, r, k in VALUES)
    history = read("out.txt", text)
    assert [r.train.kl_raw for r in history.records] == [0.25, 0.5, 0.75]
    assert not history.header.counts_epochs
    assert has_note(history, "Columns not used: index.")


@pytest.mark.parametrize(
    "lines",
    [
        ["Training has started", "1 2 3"],
        ["epoch loss kl"],
        ["epoch loss kl", "and so on it goes"],
        ["Epoch: 1 | loss: 2.0", "Epoch: 2 | loss: 1.0"],
        ["| train/ | |", "| kl_loss | 3.4 |"],
        [],
    ],
)
def test_other_lines_are_no_table(lines):
    assert printed_table(lines) is None
