import pytest

from latentvqa.logs.epochs.precision import Precision
from tests.logs.conftest import json_lines


def half_unit(column, **columns):
    precision = Precision()
    for name, cells in columns.items():
        for cell in cells:
            precision.add(name, cell)
    return precision.half_unit(column)


@pytest.mark.parametrize(
    ("cells", "half"),
    [
        (["0.01", "0.00"], 0.005),
        (["12", "7"], 0.5),
        (["1e-7", "0.5"], 0.0),
        (["0.25", "0.125"], 0.0005),  # zeros at the end are dropped: the finest counts
        (["0.0", "0.0"], 0.05),
    ],
)
def test_the_last_decimal_says_how_much_is_rounded(cells, half):
    assert half_unit("kl", kl=cells) == pytest.approx(half, abs=1e-12)


def test_numbers_of_one_json_share_their_decimals():
    assert half_unit("kl", kl=[0.0, 0.0], loss=[1.23456]) == 0.5e-5
    assert half_unit("kl", kl=["0.00", "0.00"], loss=["1.23456"]) == 0.005


def test_the_log_says_how_finely_its_kl_is_printed(read):
    shown = "".join(f"epoch {e} loss=1.250 recon=1.250 kl=0.00\n" for e in range(4))
    assert read("log.txt", shown).header.kl_resolution == 0.005
    rows = [{"epoch": e, "recon": 1.5 - e / 7, "kl": 0.0} for e in range(4)]
    assert read("log.jsonl", json_lines(rows)).header.kl_resolution < 1e-12
