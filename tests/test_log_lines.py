import json

import pytest

from latentvqa.log_lines import epoch_line, header_line, lines_of
from tests.runs import HEADER, make_epoch


def kinds(content):
    return [line.kind for line in lines_of(content)]


LOG = header_line(HEADER) + b"".join(epoch_line(make_epoch(n)) for n in range(3))


def test_each_line_has_its_number_and_its_kind():
    lines = lines_of(b"\n" + LOG + b'\n{"kind":"ep')
    assert [(line.number, line.kind) for line in lines] == [
        (2, "header"),
        (3, "epoch"),
        (4, "epoch"),
        (5, "epoch"),
        (7, "cut"),
    ]
    assert b"".join(line.renewed() for line in lines[:4]) == LOG


@pytest.mark.parametrize("key", ["sum", "schema", "kind"])
def test_a_damaged_key_does_not_make_a_line_one_of_the_first_version(key):
    first = LOG.splitlines(keepends=True)[0]
    damaged = first.replace(f'"{key}"'.encode(), f'"{key[:-1]}x"'.encode())
    assert damaged != first
    assert kinds(damaged + LOG[len(first) :])[0] == "damaged"


def test_without_any_sum_lines_are_of_the_first_version():
    lines = [json.loads(line) for line in LOG.splitlines()]
    for line in lines:
        del line["sum"]
    lines[0]["schema"] = 1
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert kinds(content) == ["header", "epoch", "epoch", "epoch"]
    renewed = b"".join(line.renewed() for line in lines_of(content))
    assert kinds(renewed) == kinds(LOG) and json.loads(renewed.splitlines()[0])["schema"] == 2
    lines[0]["schema"] = 2  # says that all have one
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert kinds(content) == ["damaged"] * 4


def test_a_key_named_sum_of_another_tool_is_none_of_ours():
    assert kinds(b'{"epoch":0,"stage":"full","sum":3.5}\n{"epoch":1,"sum":"4"}\n') == ["epoch"] * 2
