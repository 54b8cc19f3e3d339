import pytest

from latentvqa.data.converters.rows import (
    SUFFIXES,
    ConvertedRow,
    check_rows,
    missing_images,
    require_table,
    write_rows,
)
from latentvqa.data.tables import read_questions
from latentvqa.errors import ConfigError, DataError, OutputError
from latentvqa.outputs import NamedOutput

ONE = ConvertedRow("a.png", "q?", ("yes",), "is", "7")


def output(path, *, overwrite=False):
    return NamedOutput("--out", path, overwrite)


def read(path):
    return read_questions(path, needs_images=False)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "answers", [("yes",), ("yes", "no", "yes"), ("[sic]",), ('["a"]',), ("None",), ('a, "b"\nc',)]
)
def test_the_references_of_a_row_are_read_as_they_were_written(suffix, answers, tmp_path):
    path = tmp_path / f"t{suffix}"
    write_rows(output(path), [ConvertedRow("a.png", "q?", answers)])
    assert read(path).answers == [answers]


def test_a_column_that_no_row_fills_is_left_out(tmp_path):
    path = tmp_path / "t.csv"
    write_rows(
        output(path), [ConvertedRow("a.png", "q?", ()), ConvertedRow("b.png", "r?", (), id="2")]
    )
    assert path.read_text().splitlines() == ["image,question,id", "a.png,q?,", "b.png,r?,2"]


def test_single_answers_need_no_list(tmp_path):
    path = tmp_path / "new" / "t.tsv"
    require_table(output(path), [])
    write_rows(output(path), [ONE])
    assert path.read_text() == "image\tquestion\tanswer\ttype\tid\na.png\tq?\tyes\tis\t7\n"


def test_a_place_that_takes_no_file_is_told(tmp_path):
    (tmp_path / "file").touch()
    for refused in (require_table, write_rows):
        with pytest.raises(OutputError, match="cannot be written"):
            refused(output(tmp_path / "file" / "t.csv"), [ONE])


def test_a_table_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "t.csv"
    require_table(output(path), [])
    path.touch()
    with pytest.raises(OutputError, match="--overwrite"):
        require_table(output(path), [])
    require_table(output(path, overwrite=True), [])
    with pytest.raises(OutputError, match="which the same command needs"):
        require_table(output(path, overwrite=True), [path])
    with pytest.raises(ConfigError, match=r"one of \.csv, \.tsv, \.jsonl, \.parquet"):
        require_table(output(tmp_path / "t.xlsx", overwrite=True), [])


def test_rows_that_all_have_answers_or_all_have_none_are_a_table(tmp_path):
    bare = ConvertedRow("a.png", "q?", ())
    check_rows(tmp_path, [ONE, ONE])
    check_rows(tmp_path, [bare, bare])
    with pytest.raises(DataError, match=r"no answer to 1 of 2 questions, .* number 1 \(q\?\)"):
        check_rows(tmp_path, [ONE, bare])
    with pytest.raises(DataError, match="nothing to convert"):
        check_rows(tmp_path, [])


def test_missing_images_are_named_once_in_order(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").touch()
    names = ["deep/a.png", "z.png", "deep/b.png", "z.png", "none/a.png"]
    rows = [ConvertedRow(name, "q?", ()) for name in names]
    assert missing_images(rows, tmp_path) == ["z.png", "deep/b.png", "none/a.png"]
    with pytest.raises(DataError, match="no such folder"):
        missing_images(rows, tmp_path / "none")
