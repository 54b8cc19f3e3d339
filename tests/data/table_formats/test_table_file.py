"""The names of columns: as clean text, each once, those without one passed over."""

from __future__ import annotations

from pathlib import Path

from tests.data.written_tables import HEADER, read


def test_columns_without_a_name_are_passed_over(folder: Path) -> None:
    content = "," + HEADER[:-1] + ",\u200b,\n0,a.png,q,a,,\n1,a.png,q,b,,\n"
    assert read(folder, content).targets == ["a", "b"]


def test_a_name_of_a_column_is_found_whatever_nobody_sees_in_it(folder: Path) -> None:
    content = "\ufeff\ufeffimage,quest\u200bion,answer\nb,q,a\n"
    assert read(folder, content, columns={"question": "ques\u00adtion"}).questions == ["q"]
