"""Predictions in CSV and JSON lines."""

import csv
import io
import json
from dataclasses import replace

import pytest

from latentvqa.cli.prediction_files import (
    COLUMNS,
    Format,
    PredictionFile,
    RowStyle,
    format_of,
)
from latentvqa.engine.prediction.asking import Asked
from latentvqa.engine.prediction.predict import Prediction
from latentvqa.errors import ConfigError, OutputError
from latentvqa.outputs import NamedOutput

FOUND = (
    Prediction("a,b.png", 'what, exactly, is "it"?', "日本", 0.123456789, ""),
    Prediction("broken.jpg", "what?", "", None, "not an image"),
    Prediction("odd\udcff.png", "two\nlines?", "no", 1.0, "", "no known word"),
)


def opened(out, *, is_resumed=False, overwrite=False, **style):
    output = None if out is None else NamedOutput("--out", out, overwrite)
    return PredictionFile(output, RowStyle(format_of(out, None), **style), is_resumed=is_resumed)


def write(out, predictions=FOUND, **options):
    file = opened(out, **options)
    file.require_writable([])
    with file.open() as writer:
        for one in predictions:
            writer(one)


@pytest.mark.parametrize("name", ["p.csv", "P.CSV"])
def test_a_csv_file_reads_back_with_rounded_confidences(tmp_path, name):
    write(tmp_path / name)
    with (tmp_path / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["image"] for row in rows] == ["a,b.png", "broken.jpg", r"odd\udcff.png"]
    assert [row["question"] for row in rows] == [one.question for one in FOUND]
    assert [row["confidence"] for row in rows] == ["0.123457", "", "1.000000"]
    assert [row["error"] for row in rows] == ["", "not an image", ""]
    assert [row["note"] for row in rows] == ["", "", "no known word"]


def test_json_lines_keep_every_digit_and_null_for_what_is_not_known(tmp_path):
    write(tmp_path / "p.jsonl")
    lines = (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [tuple(one) for one in found] == [COLUMNS] * 3
    assert [one["confidence"] for one in found] == [0.123456789, None, 1.0]
    assert found[2]["image"] == "odd\udcff.png"
    assert "日本" in lines[0]


def test_without_a_file_the_rows_go_to_stdout(capsys):
    write(None, FOUND[:2])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["answer"] for row in rows] == ["日本", ""]


EVIL = "\x1b]0;x\x07\x9b31m\u202e"


def test_stdout_shows_control_characters_and_a_file_holds_them(tmp_path, capsys):
    found = [Prediction(f"{EVIL}.png", EVIL, EVIL, 0.5, EVIL)]
    write(None, found)
    shown = capsys.readouterr().out
    assert r"\x1b]0;x\x07\x9b31m\u202e.png" in shown
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    write(tmp_path / "p.csv", found)
    assert EVIL in (tmp_path / "p.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("start", list("=+-@\t\r\n"))
def test_cells_that_a_spreadsheet_would_compute_are_escaped_where_that_is_asked(tmp_path, start):
    formula = f"{start}HYPERLINK(1)"
    found = [Prediction(f"{formula}.png", formula, formula, 0.5, "", ""), FOUND[0]]
    write(tmp_path / "p.csv", found, escapes_formulas=True)
    write(tmp_path / "plain.csv", found)
    rows, plain = (
        list(csv.DictReader(io.StringIO((tmp_path / name).read_bytes().decode(), newline="")))
        for name in ("p.csv", "plain.csv")
    )
    for column in ("image", "question", "answer"):
        assert rows[0][column] == f"'{plain[0][column]}"
        assert plain[0][column].startswith(formula)
    assert rows[1] == plain[1]


def test_rows_of_work_that_stops_are_kept_aside(tmp_path):
    file = opened(tmp_path / "p.jsonl")
    with pytest.raises(KeyboardInterrupt), file.open() as writer:
        writer(FOUND[0])
        raise KeyboardInterrupt
    kept = tmp_path / "p.jsonl.part"
    assert sorted(path.name for path in tmp_path.iterdir()) == [kept.name, f"{kept.name}.json"]
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 1
    assert file.whereabouts() == f"1 row, kept in {kept}; the same command with --resume goes on"


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "p.json"])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_resumed_work_writes_what_one_work_would_have(tmp_path, name, before):
    found = [replace(one, asked=Asked(0, 0, str(9 - at))) for at, one in enumerate(FOUND)]
    with opened(tmp_path / f"whole {name}", has_ids=True).open() as writer:
        for one in found:
            writer(one)
    first = opened(tmp_path / name, has_ids=True)
    with pytest.raises(KeyboardInterrupt), first.open() as writer:
        for one in found[:before]:
            writer(one)
        raise KeyboardInterrupt
    again = opened(tmp_path / name, has_ids=True, is_resumed=True)
    assert again.find_earlier("") == before
    with again.open() as writer:
        for one in found[before:]:
            writer(one)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole {name}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_the_challenge_s_json_holds_ids_as_numbers_and_answers(tmp_path):
    found = [replace(one, asked=Asked(0, 0, id_)) for one, id_ in zip(FOUND, "7ab", strict=True)]
    write(tmp_path / "p.json", found, has_ids=True)
    assert json.loads((tmp_path / "p.json").read_text(encoding="utf-8")) == [
        {"question_id": 7, "answer": "日本"},
        {"question_id": "a", "answer": ""},
        {"question_id": "b", "answer": "no"},
    ]


def test_ids_are_the_first_cell_of_a_row(tmp_path):
    found = [replace(FOUND[0], asked=Asked(0, 0, "=id"))]
    write(tmp_path / "p.csv", found, has_ids=True, escapes_formulas=True)
    text = (tmp_path / "p.csv").read_text(encoding="utf-8")
    assert text.startswith("id,image,") and '\n\'=id,"a,b.png",' in text


def test_the_format_is_told_by_the_name_or_the_option(tmp_path):
    assert format_of(None, None) == Format.csv
    assert format_of(None, Format.jsonl) == Format.jsonl
    assert format_of(tmp_path / "A.JSONL", None) == Format.jsonl
    assert format_of(tmp_path / "a.json", Format.vqa) == Format.vqa
    with pytest.raises(ConfigError, match="the name says csv, and --format vqa"):
        format_of(tmp_path / "a.csv", Format.vqa)


def test_only_the_rows_of_a_file_are_gone_on_with():
    with pytest.raises(ConfigError, match="--resume goes on with the rows of a file"):
        opened(None, is_resumed=True)


def test_work_that_stops_before_its_first_row_leaves_nothing(tmp_path):
    file = opened(tmp_path / "p.csv")
    with pytest.raises(KeyboardInterrupt), file.open():
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert file.whereabouts() == "0 rows"


def test_another_suffix_is_refused_and_touches_nothing(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text("kept")
    with pytest.raises(ConfigError, match=r"p\.txt: the name must end in \.csv, \.jsonl or \.json"):
        write(path)
    assert path.read_text() == "kept"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"--out .*none/p\.csv: cannot be written"):
        write(tmp_path / "none" / "p.csv")
