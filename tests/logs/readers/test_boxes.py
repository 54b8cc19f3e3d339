import pytest

from latentvqa.logs.readers.boxes import boxed_cells, boxed_rows

BOX = """\
---------------------------------
| time/              |          |
|    iterations      | {n}      |
| train/             |          |
|    kl_loss         | {kl}     |
|    loss            | 20.1     |
---------------------------------
"""


def test_a_name_that_comes_again_begins_the_next_box():
    lines = (BOX.format(n=1, kl=3.5) + "prose\n" + BOX.format(n=2, kl=3.75)).splitlines()
    assert list(boxed_rows(lines)) == [
        {"time/iterations": str(n), "train/kl_loss": str(kl), "train/loss": "20.1"}
        for n, kl in ((1, 3.5), (2, 3.75))
    ]


def test_boxes_are_read_as_steps(read):
    history = read("out.txt", BOX.format(n=1, kl=3.5) + BOX.format(n=2, kl=3.75))
    assert [record.train.kl_raw for record in history.records] == [3.5, 3.75]
    assert not history.header.counts_epochs


def test_a_box_without_headings_is_no_table(read):
    box = "| Epoch | {n} |\n| KL | 0.5 |\n| Recon | 2.0 |\n| LossPi | -2.1e-08 |\n"
    history = read("out.txt", "".join(box.format(n=n) for n in range(4)))
    assert [(r.epoch, r.train.kl_raw) for r in history.records] == [(n, 0.5) for n in range(4)]


@pytest.mark.parametrize("line", ["", "|", "| a | b |", "| a | 1 | 2 |", "a | 1 |", "|  | 1 |"])
def test_other_lines_are_no_box(line):
    assert boxed_cells(line) is None
