from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentvqa.data.table_formats.parquet import ParquetTable
from latentvqa.errors import DataError
from tests.data.written_tables import fault, read

CLEAN = {"image": ["a.png"] * 2, "question": ["q"] * 2, "answer": ["x", "y"]}


def written(**columns: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({**CLEAN, **columns}), sink)
    return sink.getvalue()


def broken_text() -> pa.Array:
    """The texts "ok" and one that is no UTF-8."""
    offsets, bytes_ = b"\0\0\0\0\2\0\0\0\4\0\0\0", b"ok\xff\xfe"
    return pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(bytes_)]
    )


ODD = {
    "a date of the year 5,881,580": pa.array([0, 2**31 - 1], pa.date32()),
    "a time after the year 9999": pa.array([0, 2**60], pa.timestamp("us")),
    "a time in a zone of its own": pa.array([None, 0], pa.timestamp("us", tz="Mars/Phobos")),
    "broken UTF-8": broken_text(),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_value_without_a_text_is_a_fault_with_row_and_column(folder: Path, kind: str) -> None:
    message = fault(folder, written(answer=ODD[kind]), "t.parquet")
    assert "row 3, column 'answer'" in message
    assert "row 2" not in message
    assert message.endswith("Save the column as text, in UTF-8.")


@pytest.mark.parametrize("kind", ODD)
def test_a_column_that_nobody_asks_for_may_hold_anything(folder: Path, kind: str) -> None:
    assert read(folder, written(extra=ODD[kind]), "t.parquet").targets == ["x", "y"]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (pa.array([1.0, None]), "row 3, column 'answer'"),
        (pa.array([float("nan"), 2.0]), "row 2, column 'answer'"),
        (pa.array([1.0, float("inf")]), "row 3, column 'answer': inf"),
        (pa.array([["a", None], ["b"]]), "row 2, column 'answer'"),
        (pa.array([b"a", b"b"]), "row 2, column 'answer'"),
    ],
)
def test_missing_and_nested_values_are_faults(folder: Path, cells: pa.Array, told: str) -> None:
    assert told in fault(folder, written(answer=cells), "t.parquet")


@pytest.mark.parametrize(
    ("cells", "targets"),
    [
        (pa.array([3.0, 0.25]), ["3", "0.25"]),
        (pa.array([3.0, 0.1], pa.float32()), ["3", "0.1"]),
        (pa.array([7, 8], pa.uint8()), ["7", "8"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([0, 1], pa.date32()), ["1970-01-01", "1970-01-02"]),
    ],
)
def test_values_become_the_text_that_a_person_would_write(
    folder: Path, cells: pa.Array, targets: list[str]
) -> None:
    assert read(folder, written(answer=cells), "t.parquet").targets == targets


def test_a_name_with_dots_is_one_column_beside_a_nested_one() -> None:
    nested = pa.array([{"b": 1}, {"b": 2}])
    table = ParquetTable(Path("t.parquet"), written(**{"a.b": ["1", "2"], "a": nested}))
    assert table.cells_at(table.names.index("a.b")) == ["1", "2"]


def test_damage_anywhere_is_an_error_that_names_the_file_or_changes_nothing_it_reads() -> None:
    whole = written()
    refused = 0
    for at in range(0, len(whole), 7):
        data = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        try:
            table = ParquetTable(Path("t.parquet"), data)
            for place in range(len(table.names)):
                table.cells_at(place)
        except DataError as error:
            refused += 1
            assert "t.parquet: " in str(error)
    assert refused
