from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.table_files import parse_table, read_table_bytes
from latentvqa.errors import DataError
from tests.data.written_tables import as_bytes, columns_of

cell = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\0"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip())


@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_any_cell_survives_every_text_format(rows: list[tuple[str, str]]) -> None:
    dicts = [{"question": q, "answer": a} for q, a in rows]
    for suffix in (".csv", ".tsv", ".jsonl", ".json"):
        table = parse_table(Path("t" + suffix), as_bytes(dicts, suffix))
        assert columns_of(table) == {
            "question": [q for q, _ in rows],
            "answer": [a for _, a in rows],
        }


@given(st.binary(max_size=60), st.sampled_from([".csv", ".tsv", ".jsonl", ".json", ".parquet"]))
def test_random_bytes_give_a_table_or_a_data_error(data: bytes, suffix: str) -> None:
    try:
        parse_table(Path("t" + suffix), data)
    except DataError as error:
        assert "t" + suffix in str(error)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder", "NUL"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path = tmp_path / "t\0.csv"
    with pytest.raises(
        DataError, match=r"t.*\.csv'?: (is a .*, not a file|no file has such a name)"
    ):
        read_table_bytes(path)


def test_the_suffix_is_known_in_any_case_and_no_other_is() -> None:
    assert columns_of(parse_table(Path("T.CSV"), b"a\n1\n")) == {"a": ["1"]}
    with pytest.raises(
        DataError, match=r"'\.txt' is not known; .*\.csv, \.tsv, \.jsonl, \.json, \.parq"
    ):
        parse_table(Path("t.txt"), b"a\n1\n")
