import pytest

from latentvqa.logs.readers.commas import comma_reading, has_decimal_commas
from tests.logs.conftest import has_note

GERMAN = ["Epoche 1: loss=95,41 kl=3,21", "Epoche 2: loss=86,2 kl=1.234,5e-1"]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("loss 12,345.67 kl 45.57", "loss 12345.67 kl 45.57"),
        ("step=1,024,000, loss=3.5", "step=1024000, loss=3.5"),
        ("loss=-1,234 kl=2", "loss=-1234 kl=2"),
        ("2024-05-06 10:11:12,345 loss=1.5", "2024-05-06 10:11:12,345 loss=1.5"),
        ("shape [1,3,64,64] (3,64)", "shape [1,3,64,64] (3,64)"),
        ("losses 0.125,0.250", "losses 0.125,0.250"),
        ("loss=1.5,kl=2.5", "loss=1.5,kl=2.5"),
    ],
)
def test_commas_between_thousands_are_left_out_and_no_others(line, read):
    assert comma_reading(["loss=1.5"])(line) == read


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("loss=95,41 kl=3,21", "loss=95.41 kl=3.21"),
        ("loss=95,410, kl=-3,2e-05;", "loss=95.410, kl=-3.2e-05;"),
        ("10:11:12,345 loss=1,5", "10:11:12,345 loss=1.5"),
    ],
)
def test_decimal_commas_become_points(line, read):
    assert comma_reading(GERMAN[:1])(line) == read


@pytest.mark.parametrize(
    ("lines", "are_decimal"),
    [
        (GERMAN[:1], True),
        (["loss=95,410 kl=3,210"], False),  # may part thousands
        (["loss=95,410 kl=0,210"], True),
        (["loss=95,41", "kl=0.5"], False),
        (["loss 95,41"], False),
        ([], False),
    ],
)
def test_a_point_or_a_possible_thousand_speaks_against_decimal_commas(lines, are_decimal):
    assert has_decimal_commas(lines) == are_decimal


def test_a_log_with_decimal_commas_is_read_and_says_so(read):
    history = read("log.txt", "".join(f"Epoch {e}: loss=9{e},5 KL=3,2{e}\n" for e in range(3)))
    assert [record.train.kl_raw for record in history.records] == [3.20, 3.21, 3.22]
    assert has_note(history, "decimal commas")
