from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentvqa.data.tables import read_questions
from latentvqa.errors import DataError
from tests.data.written_tables import HEADER, as_bytes, fault, read

ROWS = [
    {"image": "b.png", "question": "what, then?", "answer": "None"},
    {"image": "a.png", "question": 'is "it" red?', "answer": "01"},
    {"image": "b.png", "question": " cafe\u0301? ", "answer": "NA"},
    {"image": "sub/c.jpg", "question": "two\nlines?", "answer": "null"},
]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_table(folder: Path, suffix: str) -> None:
    data = as_bytes(ROWS, suffix)
    table = read(folder, data, "t" + suffix)
    assert table.image_names == ("a.png", "b.png", "sub/c.jpg")
    assert table.image_paths == tuple(folder / "im" / name for name in table.image_names)
    assert table.image_index.tolist() == [1, 0, 1, 2]
    assert table.questions == ["what, then?", 'is "it" red?', "caf\u00e9?", "two\nlines?"]
    assert table.targets == ["None", "01", "NA", "null"]
    assert table.types is None and table.ids is None
    assert table.rows.tolist() == ([1, 2, 3, 4] if suffix == ".jsonl" else [2, 3, 4, 5])
    assert table.sha256 == hashlib.sha256(data).hexdigest()
    assert len(table) == 4


def test_a_byte_order_mark_and_a_huge_cell_are_read(folder: Path) -> None:
    table = read(folder, "\ufeffimage,question,answer\na.png,q," + "x" * 200_000 + "\n\n")
    assert len(table) == 1 and len(table.targets[0]) == 200_000


def test_columns_are_mapped_and_optional_ones_read(folder: Path) -> None:
    table = read(
        folder,
        "pic,q,a,kind,qid\na.png,why?,so,x,007\n",
        columns={"image": "pic", "question": "q", "answer": "a", "type": "kind", "id": "qid"},
    )
    assert (table.types, table.ids, table.targets) == (["x"], ["007"], ["so"])


def test_numbers_in_jsonl_stay_as_they_are_written(folder: Path) -> None:
    table = read(folder, '{"image": 7, "question": "q", "answer": 1.50}\n', "t.jsonl")
    assert table.targets == ["1.50"]
    assert table.image_names == ("7.JPG",)


@pytest.mark.parametrize("column", ["answer", "answers"])
def test_several_references_are_read_from_lists(folder: Path, column: str) -> None:
    answers = ["b", "a", "a", "b"]
    in_csv = json.dumps(answers).replace('"', '""')
    from_csv = read(folder, f'image,question,{column}\na.png,q,"{in_csv}"\n')
    row = {"image": "a.png", "question": "q", column: answers}
    from_jsonl = read(folder, json.dumps(row), "t.jsonl")
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row]), sink)
    from_parquet = read(folder, sink.getvalue(), "t.parquet")
    for table in (from_csv, from_jsonl, from_parquet):
        assert table.answers == [("b", "a", "a", "b")]
        assert table.reference(0) == "b"


def test_without_required_answers_they_are_read_where_present(folder: Path) -> None:
    assert read(folder, "image,question\na.png,q\n", require_answers=False).answers == [()]
    table = read(
        folder,
        "image,question,answer\na.png,q,\na.png,q,yes\n",
        require_answers=False,
        columns={"type": "kind"},
    )
    assert table.answers == [(), ("yes",)]
    assert table.targets == ["", "yes"]


def test_files_that_are_no_tables_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="no such table"):
        read_questions(folder / "none.csv", images=folder)
    with pytest.raises(DataError, match="is a folder, not a file"):
        read_questions(folder / "im", images=folder)
    assert "suffix '.xlsx'" in fault(folder, "x", "t.xlsx")
    assert "Parquet" in fault(folder, "x", "t.parquet")
    (folder / "t.csv").write_text(HEADER + "a.png,q,a\n")
    with pytest.raises(DataError, match=r"data\.images is needed"):
        read_questions(folder / "t.csv")
    with pytest.raises(DataError, match="no such images folder"):
        read_questions(folder / "t.csv", images=folder / "none")


def test_a_selection_keeps_rows_and_images_together(folder: Path) -> None:
    table = read(folder, as_bytes([{**row, "type": str(i)} for i, row in enumerate(ROWS)], ".csv"))
    part = table.select(np.array([3, 0]))
    assert part.image_names == ("b.png", "sub/c.jpg")
    assert part.image_index.tolist() == [1, 0]
    assert part.types == ["3", "0"]
    assert part.targets == ["null", "None"]
    assert part.rows.tolist() == [5, 2]
