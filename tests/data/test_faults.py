from __future__ import annotations

from pathlib import Path

import pytest

from latentvqa.data.faults import SHOWN, Faults
from latentvqa.errors import DataError
from tests.data.written_tables import HEADER, fault


def test_ten_faults_of_a_kind_are_listed_and_the_rest_counted(folder: Path) -> None:
    message = fault(folder, HEADER + "a.png,,a\n" * 13)
    assert message.count("column 'question'") == 10
    assert "(13)" in message and "and 3 more" in message


def faults_of(count: int) -> Faults:
    faults = Faults(Path("t.csv"), "blank cells", "Fill them.")
    for row in range(2, 2 + count):
        faults.add(row, "column 'image'")
    return faults


def test_without_a_fault_nothing_is_raised() -> None:
    faults_of(0).raise_if_any()


def test_few_faults_are_all_listed_between_what_is_wrong_and_what_to_do() -> None:
    with pytest.raises(DataError) as caught:
        faults_of(2).raise_if_any()
    assert str(caught.value) == (
        "t.csv: blank cells (2):\n  row 2, column 'image'\n  row 3, column 'image'\nFill them."
    )


@pytest.mark.parametrize(("count", "lines"), [(SHOWN, SHOWN + 2), (SHOWN + 1, SHOWN + 3)])
def test_the_rest_is_counted_only_where_there_is_one(count: int, lines: int) -> None:
    with pytest.raises(DataError) as caught:
        faults_of(count).raise_if_any()
    assert len(str(caught.value).splitlines()) == lines
    assert ("and 1 more" in str(caught.value)) is (count > SHOWN)
