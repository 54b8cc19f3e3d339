import pytest

from tests.logs.conftest import has_note

LINES = {
    "log.txt": "Epoch {e} loss={l:.2f} kl={k:.2f}\n",
    "log.csv": "{e},{l:.2f},{k:.2f}\n",
}
HEADING = {"log.txt": "", "log.csv": "epoch,loss,kl\n"}


def content(name, epochs=4):
    rows = (LINES[name].format(e=e, l=90 - e, k=12.25 + e) for e in range(epochs))
    return HEADING[name] + "".join(rows)


def kls(history):
    return [record.train.kl_raw for record in history.records]


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("cut", [2, 3, 4, 5])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "utf-8-sig"])
def test_a_number_that_the_file_ends_within_is_not_read(read, name, cut, encoding):
    history = read(name, content(name)[:-cut].encode(encoding))
    assert kls(history) == [12.25, 13.25, 14.25]
    assert has_note(history, "ends within a number (kl=1")


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  "])
def test_a_whole_last_number_is_read_with_or_without_an_end_of_the_line(read, name, end):
    assert kls(read(name, content(name).rstrip("\n") + end)) == [12.25, 13.25, 14.25, 15.25]


def test_a_torn_exponent_is_not_read(read):
    history = read("log.csv", "epoch,kl\n0,1.5e-03\n1,1.2e-03\n2,1.0")
    assert kls(history) == [1.5e-3, 1.2e-3]


def test_whole_numbers_are_never_taken_for_torn_ones(read):
    assert kls(read("log.csv", "epoch,kl\n0,120\n1,12")) == [120.0, 12.0]
