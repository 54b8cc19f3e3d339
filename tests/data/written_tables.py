"""Question tables written to a folder with a few images, and what is wrong with them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentvqa.data.table_formats.table_file import TableFile
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.errors import DataError

HEADER = "image,question,answer\n"


def read(
    folder: Path, content: str | bytes, name: str = "t.csv", **options: object
) -> QuestionTable:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return read_questions(folder / name, images=folder / "im", **options)  # type: ignore[arg-type]


def fault(folder: Path, content: str | bytes, name: str = "t.csv", **options: object) -> str:
    with pytest.raises(DataError) as caught:
        read(folder, content, name, **options)
    message = str(caught.value)
    assert name in message or "data.columns" in message
    return message


def columns_of(table: TableFile) -> dict[str, list[Any]]:
    return {name: table.column(name) for name in table.names}


def as_bytes(rows: list[dict[str, str]], suffix: str) -> bytes:
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if suffix == ".json":
        return json.dumps(rows, ensure_ascii=False).encode()
    if suffix == ".parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue()
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter="," if suffix == ".csv" else "\t")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
