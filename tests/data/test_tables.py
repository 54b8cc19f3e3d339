from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.table_files import parse_table
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.errors import ConfigError, DataError

ROWS = [
    {"image": "b.png", "question": "what, then?", "answer": "None"},
    {"image": "a.png", "question": 'is "it" red?', "answer": "01"},
    {"image": "b.png", "question": " cafe\u0301? ", "answer": "NA"},
    {"image": "sub/c.jpg", "question": "two\nlines?", "answer": "null"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "7.JPG", "img.v2.png", "sub/c.jpg"):
        (tmp_path / "im" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "im" / name).touch()
    return tmp_path


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


def as_bytes(rows: list[dict[str, str]], suffix: str) -> bytes:
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if suffix == ".parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue()
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter="," if suffix == ".csv" else "\t")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


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


cell = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\0"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip())


@given(rows=st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_any_cell_survives_every_text_format(rows: list[tuple[str, str]]) -> None:
    dicts = [{"question": q, "answer": a} for q, a in rows]
    for suffix in (".csv", ".tsv", ".jsonl"):
        columns = parse_table(Path("t" + suffix), as_bytes(dicts, suffix)).columns
        assert columns == {"question": [q for q, _ in rows], "answer": [a for _, a in rows]}


@given(st.binary(max_size=60), st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet"]))
def test_random_bytes_give_a_table_or_a_data_error(data: bytes, suffix: str) -> None:
    try:
        parse_table(Path("t" + suffix), data)
    except DataError as error:
        assert "t" + suffix in str(error)


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


def test_answers_go_before_answer_unless_the_mapping_says_otherwise(folder: Path) -> None:
    content = 'image,question,answer,answers\na.png,q,x,"[""y"", 2]"\n'
    assert read(folder, content).answers == [("y", "2")]
    assert read(folder, content, columns={"answer": "answer"}).answers == [("x",)]


def test_an_answer_that_merely_looks_like_a_list_is_text(folder: Path) -> None:
    table = read(folder, "image,question,answer\na.png,q,[sic]\na.png,q,[1]\n")
    assert table.targets == ["[sic]", "[1]"]


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


def test_extensions_are_found(folder: Path) -> None:
    table = read(folder, "image,question,answer\n7,q,a\nimg.v2,q,a\nsub/c,q,a\na,q,a\na.png,q,a\n")
    assert table.image_names == ("7.JPG", "a.png", "img.v2.png", "sub/c.jpg")
    assert table.image_index.tolist() == [0, 2, 3, 1, 1]


def test_a_file_name_in_decomposed_form_is_found(folder: Path) -> None:
    (folder / "im" / "cafe\u0301.png").touch()
    table = read(folder, "image,question,answer\ncaf\u00e9,q,a\ncaf\u00e9.png,q,a\n")
    assert [path.exists() for path in table.image_paths] == [True]


def test_a_missing_image_is_left_to_the_image_check(folder: Path) -> None:
    assert read(folder, "image,question,answer\nno.png,q,a\n").image_names == ("no.png",)


def test_an_ambiguous_name_is_refused(folder: Path) -> None:
    (folder / "im" / "a.jpg").touch()
    message = fault(folder, "image,question,answer\nb.png,q,a\na,q,a\n")
    assert "row 3, column 'image': 'a' fits a.jpg and a.png" in message


@pytest.mark.parametrize(
    "name", ["../out.png", "{root}/out.png", "link.png", "linked/out.png", "."]
)
def test_a_path_that_leaves_the_folder_needs_permission(folder: Path, name: str) -> None:
    (folder / "out.png").touch()
    (folder / "im" / "link.png").symlink_to(folder / "out.png")
    (folder / "im" / "linked").symlink_to(folder)
    content = f"image,question,answer\na.png,q,a\n{name.format(root=folder)},q,a\n"
    message = fault(folder, content)
    assert "row 3, column 'image'" in message and "data.allow_outside = true" in message
    assert len(read(folder, content, allow_outside=True).image_names) == 2


def test_inner_links_dots_and_absolute_paths_are_fine(folder: Path) -> None:
    (folder / "im" / "again.png").symlink_to("a.png")
    names = ["again.png", "sub/../a.png", str(folder / "im" / "b.png")]
    table = read(folder, "image,question,answer\n" + "".join(f"{n},q,a\n" for n in names))
    assert table.image_names == ("a.png", "again.png", "b.png")


HEADER = "image,question,answer\n"


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
        ("image;question;answer\n1;2;3\n", ["separated by commas"]),
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


def test_missing_columns_show_those_there_are_and_the_mapping_to_write(folder: Path) -> None:
    message = fault(folder, "img_id,Question,reply\na.png,q,a\n")
    assert "img_id, Question, reply" in message
    assert 'columns = { image = "img_id", question = "Question", answer = "reply" }' in message
    assert "'kind'" in fault(folder, HEADER + "a.png,q,a\n", columns={"type": "kind"})
    assert "--column image=img_id --column question=Question --column answer=reply" in message
    with pytest.raises(ConfigError, match="imag is not a column"):
        fault(folder, HEADER + "a.png,q,a\n", columns={"imag": "image"})


def test_ten_faults_of_a_kind_are_listed_and_the_rest_counted(folder: Path) -> None:
    message = fault(folder, HEADER + "a.png,,a\n" * 13)
    assert message.count("column 'question'") == 10
    assert "(13)" in message and "and 3 more" in message


def test_files_that_are_no_tables_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="no such table"):
        read_questions(folder / "none.csv", images=folder)
    with pytest.raises(DataError, match="cannot be read"):
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
