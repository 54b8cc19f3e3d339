from __future__ import annotations

import json
import os
import socket
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.table_files import TableFile, parse_table, read_table_bytes
from latentvqa.errors import DataError
from tests.data.written_tables import HEADER, as_bytes, fault, read

cell = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\0"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip())


MANY_NAMES = ",".join(f"c{place}" for place in range(9999)) + "\n"
ROW = {"image": "b", "question": "q", "answer": "a"}


def columns_of(table: TableFile) -> dict[str, list[Any]]:
    return {name: table.column(name) for name in table.names}


@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_any_cell_survives_every_text_format(rows: list[tuple[str, str]]) -> None:
    dicts = [{"question": q, "answer": a} for q, a in rows]
    for suffix in (".csv", ".tsv", ".jsonl"):
        table = parse_table(Path("t" + suffix), as_bytes(dicts, suffix))
        assert columns_of(table) == {
            "question": [q for q, _ in rows],
            "answer": [a for _, a in rows],
        }


@given(st.binary(max_size=60), st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet"]))
def test_random_bytes_give_a_table_or_a_data_error(data: bytes, suffix: str) -> None:
    try:
        parse_table(Path("t" + suffix), data)
    except DataError as error:
        assert "t" + suffix in str(error)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ["empty"]),
        (HEADER, ["no rows"]),
        ("image,question,question,answer\n", ["row 1", "'question'", "twice"]),
        (HEADER + "a.png,q,a\na.png,,a\n", ["row 3, column 'question'", "blank"]),
        (HEADER + "a.png,q, \n", ["row 2, column 'answer'", "blank"]),
        (HEADER + ",q,a\n", ["row 2, column 'image'", "blank"]),
        (HEADER + "a.png,q\n", ["row 2, column 'answer': missing"]),
        (HEADER + "a.png,q,a\n\na.png,q,a,b\n", ["row 4, after column 'answer'", "'b'"]),
        (HEADER + 'a.png,q,a\na.png,"q,a\n' + "a.png,q,a\n" * 3, ["row 3, column 2", "quote"]),
        (HEADER + 'a.png,"two\nlines",a\na.png,q,"a" b\n', ["row 3, column 3", "quote"]),
        (HEADER.encode() + b"a.png,q\xe9,a\n", ["row 2", "0xe9", "UTF-8"]),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"a,\xff,a\n", ["row 2", "0xff"]),
        (HEADER.encode("utf-16"), ["UTF-16"]),
        ("image;question;answer\n1;2, 3;4\n", ["row 1", "by semicolons", "by commas"]),
        ("image\tquestion\tanswer\n1\t2, 3\t4\n", ["row 1", "by tabs", "the suffix .tsv"]),
        ("image,question,que\u200bstion\n", ["row 1", "'question'", "twice"]),
        (HEADER + "a.png,q,a" + ",b" * 9 + "c" * 9999 + "\n", ["row 2, after column 'answer'"]),
        (
            ",".join(f"c{i}" for i in range(9999)) + "\n" + "," * 9998 + "\n",
            ["c29 and 9,969 more", "no column"],
        ),
        ("image,question,answers\na.png,q,\"['a']\"\n", ["row 2, column 'answers'", "JSON list"]),
        ('image,question,answers\na.png,q,"[""a"", """"]"\n', ["row 2", "blank"]),
    ],
)
def test_a_csv_fault_names_row_and_column(
    folder: Path, content: str | bytes, parts: list[str]
) -> None:
    message = fault(folder, content)
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ('{"image": "a.png"', "row 1, character 18"),
        ('\n["a"]\n', "row 2"),
        ('{"image": "a.png", "question": "q", "question": "r", "answer": "a"}', "'question'"),
        ('{"image": "a.png", "question": "q", "answer": null}', "row 1, column 'answer'"),
        (
            '{"image": "a.png", "question": "q", "answer": "a"}\n{"image": "a.png", "answer": "a"}',
            "row 2, column 'question'",
        ),
        ('{"image": {"b": 1}, "question": "q", "answer": "a"}', "not one text"),
        ('{"image": "a.png", "question": "q", "answers": [{"answer": "a"}]}', "list of texts"),
    ],
)
def test_a_jsonl_fault_names_its_line(folder: Path, content: str, part: str) -> None:
    assert part in fault(folder, content, "t.jsonl")


def test_columns_without_a_name_are_passed_over(folder: Path) -> None:
    content = "," + HEADER[:-1] + ",\u200b,\n0,a.png,q,a,,\n1,a.png,q,b,,\n"
    assert read(folder, content).targets == ["a", "b"]


def test_a_name_of_a_column_is_found_whatever_nobody_sees_in_it(folder: Path) -> None:
    content = "\ufeff\ufeffimage,quest\u200bion,answer\nb,q,a\n"
    assert read(folder, content, columns={"question": "ques\u00adtion"}).questions == ["q"]


def test_only_the_columns_that_are_read_must_be_sound(folder: Path) -> None:
    line = {**ROW, "x": float("nan"), "y": [["\ud83d"]]}
    assert read(folder, json.dumps(line), "t.jsonl").targets == ["a"]
    line["answer"] = "half of \ud83d"
    assert "row 1, column 'answer'" in fault(folder, json.dumps(line), "t.jsonl")
    line |= {"\ud83d": "x"}
    assert "half of a character: '\\ud83d'" in fault(folder, json.dumps(line), "t.jsonl")


def test_a_jsonl_table_with_new_keys_in_each_line_takes_no_more_than_its_lines(
    folder: Path,
) -> None:
    lines = [
        json.dumps(
            {"image": "b", "question": "q", "answer": "a"} | {f"k{row}_{i}": 1 for i in range(50)}
        )
        for row in range(2000)
    ]
    tracemalloc.start()
    assert len(read(folder, "\n".join(lines), "t.jsonl")) == 2000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * len("\n".join(lines))


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


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_rows_are_numbered_by_record_and_the_header_is_row_1(suffix: str) -> None:
    mark = "," if suffix == ".csv" else "\t"
    text = f'a{mark}b\n1{mark}"two\nlines"\n\n3{mark}4\n'
    table = parse_table(Path("t" + suffix), text.encode())
    assert columns_of(table) == {"a": ["1", "3"], "b": ["two\nlines", "4"]}
    assert table.rows.tolist() == [2, 4]


def test_jsonl_rows_are_lines_and_absent_keys_are_none() -> None:
    table = parse_table(Path("t.jsonl"), b'\n{"a": 1.50}\n\n{"b": [1, null]}\n')
    assert columns_of(table) == {"a": ["1.50", None], "b": [None, ["1", None]]}
    assert table.rows.tolist() == [2, 4]


def test_a_header_alone_keeps_its_names() -> None:
    table = parse_table(Path("t.csv"), HEADER.encode())
    assert columns_of(table) == {"image": [], "question": [], "answer": []}
    assert len(table.rows) == 0


def test_the_suffix_is_known_in_any_case_and_no_other_is() -> None:
    assert columns_of(parse_table(Path("T.CSV"), b"a\n1\n")) == {"a": ["1"]}
    with pytest.raises(DataError, match=r"'\.txt' is not known; .*\.csv, \.tsv, \.jsonl, \.parq"):
        parse_table(Path("t.txt"), b"a\n1\n")


@pytest.mark.parametrize(
    ("line", "column"),
    [('a,"b', 2), ('"a"x,b', 1), ('"a","b""', 2), ('"a,b","c" d,e', 2), ('x,y,"z', 3)],
)
def test_the_cell_of_a_torn_quote_is_named(line: str, column: int) -> None:
    with pytest.raises(DataError, match=f"row 2, column {column}: a double quote"):
        parse_table(Path("t.csv"), f"a,b,c\n{line}\n".encode())
