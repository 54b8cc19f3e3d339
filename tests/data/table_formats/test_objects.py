"""JSON tables: an object for every row, one on each line or in one list."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from latentvqa.data.table_formats.objects import parse_json, parse_jsonl
from latentvqa.errors import DataError
from tests.data.written_tables import columns_of, fault, read

ROW = {"image": "b", "question": "q", "answer": "a"}
ASKED = {"image_id": 7, "question": "q", "question_id": 70}


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


def test_jsonl_rows_are_lines_and_absent_keys_are_none() -> None:
    table = parse_jsonl(Path("t.jsonl"), b'\n{"a": 1.50}\n\n{"b": [1, null]}\n')
    assert columns_of(table) == {"a": ["1.50", None], "b": [None, ["1", None]]}
    assert table.rows.tolist() == [2, 4]


@pytest.mark.parametrize(
    "content",
    [[ROW, ROW | {"answer": 2.0}], {"data": [ROW, ROW | {"answer": 2.0}], "version": 1}],
)
def test_a_json_table_is_a_list_of_rows_or_stands_around_one(content: object) -> None:
    table = parse_json(Path("t.json"), json.dumps(content).encode())
    assert columns_of(table) == {"image": ["b", "b"], "question": ["q", "q"], "answer": ["a", "2"]}
    assert table.rows.tolist() == [1, 2]


def test_the_questions_of_the_vqa_challenge_have_the_columns_of_a_table() -> None:
    content = {"info": {"year": 2017}, "license": {}, "questions": [ASKED], "others": [{"a": 1}]}
    table = parse_json(Path("t.json"), json.dumps(content).encode())
    assert columns_of(table) == {"image": ["7"], "id": ["70"], "question": ["q"]}


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ('[{"image": "a.png",\n "question"}]', "line 2, character 12"),
        ('{"image": {"0": "a.png"}}', "no such list is in it"),
        ("[]", "no such list is in it"),
        ('["a"]', "no such list is in it"),
        ("[{}]", "the table is empty"),
        ('{"train": [{"a": 1}], "val": [{"a": 1}]}', "are in it: 'train', 'val'"),
        ('[{"image": "a", "image": "b"}]', "'image' stands twice"),
        ('[{"a": 1}, 3]', "row 2, holds '3'"),
        ('{"questions": [{"a": 1}, [2]], "others": [{"a": 1}]}', "row 2, holds "),
        ('{"a": 1}\n{"a": 2}\n', r"line 2.*the suffix \.jsonl"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "no such list is in it"),
    ],
)
def test_what_is_no_json_table_is_refused_with_what_one_is(content: str, part: str) -> None:
    with pytest.raises(DataError, match=part) as caught:
        parse_json(Path("t.json"), content.encode())
    assert "t.json: " in str(caught.value)
    assert "a JSON table is a list of objects" in str(caught.value)


@pytest.mark.parametrize("number", ["12345678901234567.0", "12345678901234568.0", "1e400", "0.10"])
def test_numbers_that_a_machine_cannot_tell_apart_stay_as_they_are_written(number: str) -> None:
    table = parse_json(Path("t.json"), f'[{{"id": {number}}}]'.encode())
    assert columns_of(table) == {"id": [number]}


def test_a_fault_of_a_json_table_names_the_row(folder: Path) -> None:
    rows = [ROW, {"image": "b", "answer": "a"}]
    assert "row 2, column 'question'" in fault(folder, json.dumps(rows), "t.json")
