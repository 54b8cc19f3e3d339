import math
import unicodedata

import pytest

from latentvqa.errors import ConfigError, HistoryError
from latentvqa.logs import log_options
from latentvqa.logs.readers.tables import is_table
from tests.logs.conftest import has_note, table

ROWS = [{"epoch": e, "kl": 0.25 * e, "loss": 1.0, "val_loss": 1.1} for e in range(4)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_any_delimiter_is_read(read, delimiter):
    history = read("log.csv", table(ROWS, delimiter))
    assert [record.train.kl_raw for record in history.records] == [0.0, 0.25, 0.5, 0.75]
    assert history.records[0].val.total_loss == 1.1
    assert history.records[0].stage == "unknown"


@pytest.mark.parametrize("told", ["NFC", "NFD"])
@pytest.mark.parametrize("logged", ["NFC", "NFD"])
def test_a_mapped_name_is_known_however_its_accents_are_saved(read, told, logged):
    names = ["vòng", "phân kỳ"]
    rows = [dict(zip(names, (epoch, 0.5), strict=True)) for epoch in range(3)]
    maps = [f"epoch={names[0]}", f"kl_raw={names[1]}"]
    history = read(
        "log.csv",
        unicodedata.normalize(logged, table(rows)),
        maps=[unicodedata.normalize(told, one) for one in maps],
    )
    assert [record.train.kl_raw for record in history.records] == [0.5] * 3


def test_what_was_taken_for_what_is_said(read):
    history = read("log.csv", table(ROWS))
    assert history.notes[0] == (
        "Taken by their names: val_loss as val total_loss, kl as train kl_raw, "
        "loss as train total_loss."
    )
    assert history.notes[-1].startswith("The log lacks: answer_loss, ")


def test_a_mapping_wins_over_the_names(read):
    rows = [{"epoch": 0, "model/q": 0.3, "kl": 9.0, "loss": 1.0}]
    history = read("log.csv", table(rows), maps=["kl_raw=model/q"])
    assert history.records[0].train.kl_raw == 0.3
    assert history.records[0].train.kl_after == 9.0  # plain kl beside a kl_raw
    assert history.records[0].train.total_loss == 1.0


def test_a_plain_kl_follows_what_the_user_said_of_another(read):
    rows = [{"epoch": 0, "kl": 0.3, "val_kl": 0.4}]
    record = read("log.csv", table(rows), maps=["kl=kl"]).records[0]
    assert (record.train.kl_after, record.val.kl_after) == (0.3, 0.4)
    assert (record.train.kl_raw, record.val.kl_raw) == (None, None)


def test_all_faults_of_the_options_are_told_together():
    with pytest.raises(ConfigError) as raised:
        log_options(
            maps=["kl_rwa=x", "kl"],
            steps_per_epoch=0,
            pattern="pytorch-vea",
            overrides=["kl.reductoin=sum", "latent.tokens=0", "kl.free_bits=auto"],
        )
    message = str(raised.value)
    for part in (
        "unknown field kl_rwa; the nearest is kl_raw",
        "expected FIELD=COLUMN",
        "--steps-per-epoch 0",
        "the nearest is pytorch-vae",
        "the nearest is kl.reduction",
        "latent.tokens = 0",
        "kl.free_bits = 'auto'",
    ):
        assert part in message


def test_an_unknown_column_is_told_with_the_nearest_ones(read):
    with pytest.raises(ConfigError, match="no column train/kll; the nearest are train/kl, "):
        read("log.csv", table([{"epoch": 0, "train/kl": 1, "x": 2}]), maps=["kl=train/kll"])


def test_a_table_without_a_known_column_is_an_error_that_says_what_to_do(read):
    with pytest.raises(HistoryError, match=r"\(epoch, foo\): name one with --map FIELD=COLUMN"):
        read("log.csv", table([{"epoch": 0, "foo": 1}]))


def test_a_table_without_rows_is_an_error_that_says_so(read):
    with pytest.raises(HistoryError, match=r"Under its names \(epoch, kl\) stands no row"):
        read("log.csv", "epoch,kl\n")


def test_nan_and_infinity_survive_and_missing_cells_do_not_count(read):
    rows = [
        {"epoch": 0, "loss": "NaN", "kl": ""},
        {"epoch": 1, "loss": "1e999", "kl": "None"},
        {"epoch": 2, "loss": "1" + "0" * 400, "kl": "0.5"},
    ]
    records = read("log.csv", table(rows)).records
    assert math.isnan(records[0].train.total_loss)
    assert records[1].train.total_loss == records[2].train.total_loss == math.inf
    assert [record.train.kl_raw for record in records] == [None, None, 0.5]


def test_a_torn_line_costs_itself_alone(read):
    text = table(ROWS)[:-8] + ""
    history = read("log.csv", text)
    assert len(history.records) == 4
    assert has_note(history, "Line 5 is cut after 3 of 4 cells.")
    assert history.records[3].val.total_loss is None
    history = read("log.csv", 'epoch,kl\n0,0.1\n1,"0.2\n2,0.3\n3,0.4,5\n')
    assert [record.epoch for record in history.records] == [0, 2]
    assert has_note(history, "Line 3 has a torn quote")
    assert has_note(history, "Line 5 has 3 cells for 2 columns")


def test_text_in_a_column_of_numbers_is_said(read):
    history = read("log.csv", "epoch,kl\n0,high\n1,0.2\n")
    assert has_note(history, "Column kl holds 'high', not a number.")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_read(read, encoding):
    text = table([{**row, "bête": 1} for row in ROWS])
    assert len(read("log.csv", text.encode(encoding)).records) == 4


def test_carriage_returns_and_repeated_headings_are_no_fault(read):
    later = [{**row, "epoch": row["epoch"] + 4} for row in ROWS]
    text = table(ROWS) + table(later)
    history = read("log.csv", text.replace("\n", "\r\n"))
    assert len(history.records) == 8
    assert not has_note(history, "left out")


def test_a_changed_heading_names_the_columns_of_what_follows(read):
    later = [{"epoch": 4, "loss": 2.0, "kl": 0.9, "val_loss": 1.5, "lr": 0.1}]
    history = read("log.csv", table(ROWS) + table(later))
    assert len(history.records) == 5
    assert history.records[4].train.kl_raw == 0.9
    assert history.records[4].learning_rates == {"all": 0.1}
    assert has_note(history, "Line 6 names other columns")
    assert not has_note(history, "left out")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_are_read_and_said(read, delimiter):
    rows = [{"epoch": e, "kl": f"1{e},25", "loss": "1,5e-1", "name": "a,b"} for e in range(3)]
    history = read("log.csv", table(rows, delimiter))
    assert [record.train.kl_raw for record in history.records] == [10.25, 11.25, 12.25]
    assert history.records[0].train.total_loss == 0.15
    assert has_note(history, "decimal commas")


@pytest.mark.parametrize("cells", [("1,234", "5,678"), ("0,5", "0.5")])
def test_commas_that_may_part_thousands_are_not_guessed_at(read, cells):
    rows = [{"epoch": e, "kl": 0 if e else "1", "loss": cell} for e, cell in enumerate(cells)]
    history = read("log.tsv", table(rows, "\t"))
    assert history.records[0].train.total_loss is None
    assert has_note(history, "not a number")


def test_fractional_epochs_are_floored_and_averaged(read):
    rows = [{"epoch": e / 4, "kl": e} for e in range(8)]
    history = read("log.csv", table(rows))
    assert [record.train.kl_raw for record in history.records] == [1.5, 5.5]


def test_rows_of_one_epoch_after_the_other_are_steps(read):
    rows = [{"epoch": e // 3, "kl": e} for e in range(9)]
    history = read("log.csv", table(rows))
    assert [record.train.kl_raw for record in history.records] == [1.0, 4.0, 7.0]
    assert has_note(history, "each epoch is the mean of its steps")


def test_percent_are_read_as_shares(read):
    history = read("log.csv", table([{"epoch": 0, "acc": 80.0, "val_acc": 75.0}]))
    assert (history.records[0].train.exact_match, history.records[0].val.exact_match) == (0.8, 0.75)
    assert has_note(history, "read as percent")


def test_a_column_that_names_the_split_is_obeyed(read):
    rows = [
        {"epoch": e, "phase": p, "loss": v} for e in (0, 1) for p, v in (("train", 1), ("val", 2))
    ]
    records = read("log.csv", table(rows)).records
    assert [(r.train.total_loss, r.val.total_loss) for r in records] == [(1.0, 2.0)] * 2


def test_a_test_split_stands_for_validation_only_where_there_is_none(read):
    assert read("a.csv", "epoch,kl,test_kl\n0,1,2\n").records[0].val.kl_raw == 2.0
    assert read("b.csv", "epoch,kl,test_kl,val_kl\n0,1,2,3\n").records[0].val.kl_raw == 3.0


@pytest.mark.parametrize(
    ("lines", "is_one"),
    [
        (["epoch,kl", "0,0.5"], True),
        (["epoch,kl"], True),
        (["Epoch 1, loss: 0.5, kl: 0.3", "Epoch 2, loss: 0.4, kl: 0.3"], False),
        (["0,0.5", "1,0.4"], False),
        (["prose, with a comma", "and another line of it"], False),
        ([], False),
    ],
)
def test_a_table_is_told_from_prose(lines, is_one):
    assert is_table(lines, ".log") == is_one


def test_a_scalar_as_tensorboard_exports_it_has_its_tag_in_the_name_of_the_file(read):
    rows = [{"Wall time": 1e9 + e, "Step": e, "Value": 2.0 + e} for e in range(3)]
    history = read("run-a-tag-train_kl.csv", table(rows))
    assert [record.train.kl_raw for record in history.records] == [2.0, 3.0, 4.0]


def test_semicolons_part_cells_because_the_numbers_hold_commas(read):
    rows = [{"epoch": e, "kl": "2,430", "loss": "71,300"} for e in range(2)]
    assert read("log.csv", table(rows, ";")).records[0].train.kl_raw == 2.43
