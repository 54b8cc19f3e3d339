import codecs

import pytest

from latentvqa.errors import HistoryError
from latentvqa.logs.notes import Notes
from latentvqa.logs.readers.source import (
    HEAD_BYTES,
    LONGEST_LINE,
    encoding_of,
    head_lines,
    head_of,
    lines_of,
)


def lines(path, content, **options):
    path.write_bytes(content)
    notes = Notes()
    return [(number, text.strip()) for number, text in lines_of(path, notes, **options)], notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(tmp_path, encoding):
    found, notes = lines(tmp_path / "log", "é 1\n\n ab\n".encode(encoding))
    assert found == [(1, "é 1"), (3, "ab")]
    assert notes.sentences() == ()
    assert encoding_of(codecs.BOM_UTF8) == "utf-8-sig"


def test_bytes_of_no_encoding_are_replaced_and_said_once(tmp_path):
    found, notes = lines(tmp_path / "log", b"a\xff\nb\xfe\n")
    assert [number for number, _ in found] == [1, 2]
    assert notes.sentences() == ("Line 1 holds bytes that are not utf-8: replaced.",)


def test_a_line_without_end_is_cut_and_the_next_keeps_its_number(tmp_path):
    found, notes = lines(tmp_path / "log", b"x" * (3 * LONGEST_LINE) + b"\nnext\n")
    assert [(number, len(text)) for number, text in found] == [(1, LONGEST_LINE), (2, 4)]
    assert "Line 1 is longer" in notes.first_fault


def test_a_last_line_that_is_still_written_is_left_out(tmp_path):
    assert lines(tmp_path / "log", b"a\nb", is_growing=True)[0] == [(1, "a")]
    assert lines(tmp_path / "log", b"a\nb")[0] == [(1, "a"), (2, "b")]


def test_the_head_has_whole_lines(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"first\n\n" + b"y" * HEAD_BYTES)
    assert len(head_of(path)) == HEAD_BYTES
    assert head_lines(head_of(path)) == ["first"]
    assert head_lines(b"one\n \ntwo") == ["one", "two"]


@pytest.mark.parametrize("name", ["none", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path, name):
    with pytest.raises(HistoryError, match="cannot read"):
        head_of(tmp_path / name)
