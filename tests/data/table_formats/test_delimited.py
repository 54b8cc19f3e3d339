"""CSV and TSV: every cell where it stands, every fault with its row and column."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from latentvqa.data.table_formats.delimited import parse_csv, parse_tsv
from latentvqa.errors import DataError
from tests.data.written_tables import HEADER, columns_of, fault


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
        (HEADER.encode("utf-16-le"), ["UTF-16"]),
        (HEADER.encode("utf-16-be"), ["UTF-16"]),
        (HEADER.encode("utf-32-be"), ["UTF-16"]),
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


@pytest.mark.parametrize(("parse", "mark"), [(parse_csv, ","), (parse_tsv, "\t")])
def test_rows_are_numbered_by_record_and_the_header_is_row_1(parse, mark: str) -> None:
    text = f'a{mark}b\n1{mark}"two\nlines"\n\n3{mark}4\n'
    table = parse(Path("t"), text.encode())
    assert columns_of(table) == {"a": ["1", "3"], "b": ["two\nlines", "4"]}
    assert table.rows.tolist() == [2, 4]


def test_a_header_alone_keeps_its_names() -> None:
    table = parse_csv(Path("t.csv"), HEADER.encode())
    assert columns_of(table) == {"image": [], "question": [], "answer": []}
    assert len(table.rows) == 0


@pytest.mark.parametrize(
    ("line", "column"),
    [('a,"b', 2), ('"a"x,b', 1), ('"a","b""', 2), ('"a,b","c" d,e', 2), ('x,y,"z', 3)],
)
def test_the_cell_of_a_torn_quote_is_named(line: str, column: int) -> None:
    with pytest.raises(DataError, match=f"row 2, column {column}: a double quote"):
        parse_csv(Path("t.csv"), f"a,b,c\n{line}\n".encode())


@pytest.mark.parametrize("mark", [";", "|", "\t"])
def test_a_table_with_other_separators_is_rewritten_by_the_line_of_the_message(
    tmp_path: Path, mark: str
) -> None:
    path = tmp_path / "it's a table.csv"
    path.write_text(f'image{mark}question\na{mark}"NA, or\nwhat?"\n01{mark}\n')
    with pytest.raises(DataError) as caught:
        parse_csv(path, path.read_bytes())
    command = str(caught.value).splitlines()[-1].strip().removeprefix("python ")
    subprocess.run([sys.executable, *shlex.split(command)], check=True)
    rewritten = tmp_path / "it's a table-commas.csv"
    table = parse_csv(rewritten, rewritten.read_bytes())
    assert columns_of(table) == {"image": ["a", "01"], "question": ["NA, or\nwhat?", ""]}
