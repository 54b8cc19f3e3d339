"""Output into devices and pipes that fail."""

import io
import os
import subprocess
import sys

from latentvqa.cli.streams import silence, steady, steady_notices


def test_what_cannot_be_written_is_dropped_and_the_first_reason_kept():
    full = open("/dev/full", "w")  # noqa: PTH123, SIM115
    stream = steady(full)
    assert stream.write("lost") == 4
    stream.flush()
    stream.write("dropped")
    stream.flush()
    assert "No space left" in str(stream.failure)
    full.close()  # and nothing that was buffered comes up again


def test_what_can_be_written_is_written_as_before():
    below = io.StringIO()
    stream = steady(below)
    print("kept", file=stream, flush=True)
    silence(below)  # which leads to no device
    assert below.getvalue() == "kept\n"
    assert stream.failure is None and stream.isatty() is False


def test_notices_that_nobody_reads_end_nothing():
    before = sys.stderr
    with steady_notices():
        assert sys.stderr is not before
    assert sys.stderr is before
    program = (
        "import sys; from latentvqa.cli.streams import steady_notices\n"
        "with steady_notices():\n"
        "    print('x' * 100_000, file=sys.stderr, flush=True)\n"
        "    print('still here', flush=True)"
    )
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=writing, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stdout) == (0, b"still here\n")
