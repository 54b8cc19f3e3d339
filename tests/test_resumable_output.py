"""Rows that several works write, one after the other."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from latentvqa.core.summed_text import with_sum
from latentvqa.errors import OutputError
from latentvqa.outputs import NamedOutput
from latentvqa.resumable_output import Progress, ResumableOutput
from tests.small_runs import ROOT, small_disk


def output(path, *, is_resumed=False, overwrite=False):
    return ResumableOutput(NamedOutput("--out", path, overwrite), is_resumed=is_resumed)


def begin(path, rows=2, asked="work"):
    with pytest.raises(KeyboardInterrupt), output(path).open(asked) as writer:
        writer.write(b"head\n", is_row=False)
        for row in range(rows):
            writer.write(b"row %d\n" % row)
        raise KeyboardInterrupt


def _of_format(record, schema):
    known = json.loads(record.read_bytes())
    del known["sum"]
    return with_sum(json.dumps({**known, "schema": schema}).encode())


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_whole_work_leaves_the_output_alone(tmp_path):
    with output(tmp_path / "a").open("work") as writer:
        writer.write(b"row\n")
        assert names_in(tmp_path) == ["a.part"]
    assert names_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"row\n"


def test_work_goes_on_after_the_rows_that_count(tmp_path):
    path = tmp_path / "a"
    begin(path)
    with (tmp_path / "a.part").open("ab") as file:
        file.write(b"row 2, which a kill cut")
    again = output(path, is_resumed=True)
    known = hashlib.sha256(b"head\nrow 0\nrow 1\n").hexdigest()
    assert again.progress("work") == Progress("work", 2, 17, known)
    with again.open("work") as writer:
        assert writer.rows == 2
        writer.write(b"row 2\n")
    assert path.read_bytes() == b"head\nrow 0\nrow 1\nrow 2\n"
    assert names_in(tmp_path) == ["a"]


def test_without_a_word_earlier_rows_are_neither_replaced_nor_gone_on_with(tmp_path):
    path = tmp_path / "a"
    begin(path)
    with pytest.raises(OutputError, match=r"Go on with --resume, or begin anew with --overwrite"):
        output(path).require_writable([])
    anew = output(path, overwrite=True)
    anew.require_writable([])
    with anew.open("work") as writer:
        writer.write(b"other\n")
    assert path.read_bytes() == b"other\n" and names_in(tmp_path) == ["a"]


def test_nothing_to_go_on_with_is_no_fault(tmp_path):
    fresh = output(tmp_path / "a", is_resumed=True)
    fresh.require_writable([])
    assert fresh.progress("work").rows == 0
    (tmp_path / "a.part").write_bytes(b"killed before its first note")
    assert fresh.progress("work").rows == 0
    with fresh.open("work") as writer:
        writer.write(b"row\n")
    assert (tmp_path / "a").read_bytes() == b"row\n"


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda part, record: record.write_bytes(b"{"), "its record cannot be read"),
        (lambda part, record: record.write_bytes(b"[]"), "its record cannot be read"),
        (lambda part, record: part.write_bytes(b"short"), "shorter than its record says"),
        (lambda part, record: part.write_bytes(b"head\nrow 0\nrow 7\n"), "it is damaged"),
        (lambda part, record: record.write_bytes(_of_format(record, 9)), "a newer LatentVQA"),
        (lambda part, _: begin(part.with_name("a"), asked="other"), "begun with another model"),
    ],
)
def test_what_cannot_be_gone_on_with_is_told_and_stays(tmp_path, harm, told):
    begin(tmp_path / "a")
    part, record = tmp_path / "a.part", tmp_path / "a.part.json"
    harm(part, record)
    before = part.read_bytes(), record.read_bytes()
    with pytest.raises(OutputError, match=told):
        output(tmp_path / "a", is_resumed=True).progress("work")
    assert (part.read_bytes(), record.read_bytes()) == before


def test_no_changed_bit_is_gone_on_with(tmp_path):
    begin(tmp_path / "a")
    for path in (tmp_path / "a.part", tmp_path / "a.part.json"):
        whole = path.read_bytes()
        for place in range(8 * len(whole)):
            harmed = bytearray(whole)
            harmed[place // 8] ^= 1 << place % 8
            path.write_bytes(harmed)
            with pytest.raises(OutputError, match="cannot be gone on with"):
                output(tmp_path / "a", is_resumed=True).progress("work")
        path.write_bytes(whole)
    assert output(tmp_path / "a", is_resumed=True).progress("work").rows == 2


def test_a_link_in_the_place_of_the_part_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_bytes(b"kept")
    (tmp_path / "a.part").symlink_to("precious")
    with pytest.raises(OutputError, match="an earlier work"):
        output(tmp_path / "a").require_writable([])
    with output(tmp_path / "a", overwrite=True).open("work") as writer:
        writer.write(b"row\n")
    assert (tmp_path / "a").read_bytes() == b"row\n"
    assert (tmp_path / "precious").read_bytes() == b"kept"


def test_two_works_do_not_write_one_part(tmp_path):
    begin(tmp_path / "a")
    with (
        pytest.raises(KeyboardInterrupt),
        output(tmp_path / "a", is_resumed=True).open("work") as first,
    ):
        first.write(b"row 2\n")
        with (
            pytest.raises(OutputError, match="another process is writing it"),
            output(tmp_path / "a", is_resumed=True).open("work"),
        ):
            pass
        raise KeyboardInterrupt
    assert output(tmp_path / "a", is_resumed=True).progress("work").rows == 3


def test_a_full_disk_keeps_the_rows_that_were_noted(tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        path = disk / "a"
        with (
            pytest.raises(OutputError, match="cannot be written: No space left"),
            output(path).open("work") as writer,
        ):
            writer.write(b"row 0\n")
            writer.note()
            for _ in range(100):
                writer.write(b"x" * 4096)
        assert names_in(disk) == ["a.part", "a.part.json"]
        assert output(path, is_resumed=True).progress("work").rows >= 1


def test_what_a_full_disk_left_without_a_record_is_neither_kept_nor_in_the_way(tmp_path):
    with small_disk(tmp_path / "disk", "8k") as disk:
        (disk / "full").write_bytes(b"x" * 4096)
        kept = output(disk / "a")
        with pytest.raises(OutputError, match="No space left"), kept.open("work") as writer:
            writer.write(b"row 0\n")
            writer.write(b"x" * 8192)
        assert kept.kept == 0
        assert names_in(disk) == ["full"]


_WRITING = """
import sys
import time
from pathlib import Path
from latentvqa.outputs import NamedOutput
from latentvqa.resumable_output import ResumableOutput
import latentvqa.resumable_output as module
module._NOTED_SECONDS = 0.01
kept = ResumableOutput(NamedOutput("--out", Path(sys.argv[1])), is_resumed=True)
with kept.open("work") as writer:
    for row in range(writer.rows, 200_000):
        writer.write(b"row %d\\n" % row)
        if row % 100 == 0:
            time.sleep(0.001)  # two seconds in all, on any machine
"""


@pytest.mark.heavy
def test_killed_at_any_moment_no_row_is_lost_or_there_twice(tmp_path):
    path = tmp_path / "a"
    command = [sys.executable, "-c", _WRITING, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    part, draw = tmp_path / "a.part", random.Random(0)
    for _ in range(6):
        with subprocess.Popen(command, env=environment) as process:
            while not part.exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(draw.uniform(0.0, 0.1))
            process.send_signal(signal.SIGKILL)
    assert not path.exists()
    subprocess.run(command, env=environment, check=True)
    assert path.read_bytes() == b"".join(b"row %d\n" % row for row in range(200_000))
