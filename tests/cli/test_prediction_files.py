"""Predictions in CSV and JSON lines."""

import csv
import io
import json

import pytest

from latentvqa.cli.prediction_files import COLUMNS, PredictionFile
from latentvqa.engine.prediction.predict import Prediction
from latentvqa.errors import ConfigError, OutputError
from latentvqa.outputs import NamedOutput

FOUND = (
    Prediction("a,b.png", 'what, exactly, is "it"?', "日本", 0.123456789, ""),
    Prediction("broken.jpg", "what?", "", None, "not an image"),
    Prediction("odd\udcff.png", "two\nlines?", "no", 1.0, ""),
)


def opened(out):
    return PredictionFile(None if out is None else NamedOutput("--out", out))


def write(out, predictions=FOUND):
    file = opened(out)
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


def test_rows_of_work_that_stops_are_kept_aside(tmp_path):
    file = opened(tmp_path / "p.jsonl")
    with pytest.raises(KeyboardInterrupt), file.open() as writer:
        writer(FOUND[0])
        raise KeyboardInterrupt
    kept = tmp_path / "p.jsonl.part"
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 1
    assert file.whereabouts() == f"1 rows, kept in {kept}"


def test_work_that_stops_before_its_first_row_leaves_nothing(tmp_path):
    file = opened(tmp_path / "p.csv")
    with pytest.raises(KeyboardInterrupt), file.open():
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    assert file.whereabouts() == "0 rows"


def test_another_suffix_is_refused_and_touches_nothing(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text("kept")
    with pytest.raises(ConfigError, match=r"p\.txt: the name must end in \.csv or \.jsonl"):
        write(path)
    assert path.read_text() == "kept"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"--out .*none/p\.csv: cannot be written"):
        write(tmp_path / "none" / "p.csv")
