import pytest

from latentvqa.report.diagnosis.columns import (
    COLUMNS,
    amount_text,
    finding_name,
    left_out_note,
    loss_text,
    share_text,
)
from tests.runs import make_epoch


def cell(name, **changes):
    column = next(column for column in COLUMNS if column.name == name)
    return column.cell(make_epoch(3, **changes))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0.000"),
        (0.0004, "4e-04"),
        (99.9994, "99.999"),
        (100.0, "100.0"),
        (1000.0, "1e+03"),
        (float("nan"), "nan"),
    ],
)
def test_losses_keep_three_decimals_where_they_fit(value, text):
    assert loss_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (9.96, "10.0"), (99.94, "99.9"), (120.4, "120"), (1e5, "1e+05")],
)
def test_amounts_have_about_three_digits(value, text):
    assert amount_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0.875, "87.5"), (100.0, "1e+04")])
def test_shares_are_percent_without_the_sign(value, text):
    assert share_text(value) == text


def test_the_heading_of_a_column_fits_its_cells():
    for column in COLUMNS:
        assert len(column.title.split("\n")) <= 3
        assert max(map(len, column.title.split("\n"))) <= 7
        assert column.label and column.meaning and "\n" not in column.label


def test_a_rate_that_validation_lacks_is_that_of_training():
    assert cell("rate", val={"rate": None}) == "19.2"
    assert cell("rate", val={"rate": None}, train={"rate": None}) == "-"


def test_seconds_are_those_that_were_logged():
    assert cell("seconds", seconds={"train": 2.0, "val": float("nan")}) == "2.0"
    assert cell("seconds", seconds={}) == "-"


def test_a_latent_at_its_allowance_is_called_harmless_only_where_it_is():
    assert finding_name("pinned", "info") == "KL at its free allowance (harmless)"
    assert finding_name("pinned", "warning") == "KL at its free allowance"
    assert finding_name("image_not_used", "warning") == "image not used"
    assert finding_name("kl_targets", "info") == "KL targets"


def test_what_there_is_no_room_for_is_named():
    assert left_out_note([]) == ""
    told = "no room for: not charged, %; seconds (a wider terminal shows them)"
    assert left_out_note(["not charged, %", "seconds"]) == told
