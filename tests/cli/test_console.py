"""What a training shows: epochs on stderr as they come, results on stdout."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
from contextlib import redirect_stderr, suppress
from dataclasses import replace

import pytest

from latentvqa.cli.console import TrainingConsole
from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.report.text import plain
from tests.engine.runtime.test_observer import PLAN
from tests.runs import HEADER, KL, make_run

FOUND = diagnose(HEADER, make_run(1))
CRUSHED = {"information_bound": 0.1, "answer_gain": 0.01}


def test_epochs_are_lines_on_stderr_and_the_table_comes_at_the_end_on_stdout(capsys):
    records = make_run(3)
    with TrainingConsole() as console:
        for count in (1, 2, 3):
            console.epoch(HEADER, records[:count], diagnose(HEADER, records[:count]))
        printed = capsys.readouterr()
        assert [line.split("  ")[0] for line in printed.err.splitlines()] == [
            "epoch 0/49",
            "epoch 1/49",
            "epoch 2/49",
        ]
        assert printed.out == ""
        console.trained(HEADER, records)
        console.progress("questions", 1, 2)  # a bar on terminals alone
        console.notice("[bold]a notice[/bold]")
        console.result("report: [x]/report.html")
    printed = capsys.readouterr()
    assert printed.err == "[bold]a notice[/bold]\n"
    assert printed.out.splitlines()[0].strip() == "demo"
    assert printed.out.splitlines()[-1] == "report: [x]/report.html"


def test_advice_follows_its_epoch_where_it_is_asked_for(capsys):
    header = replace(HEADER, kl=replace(KL, factor=20.0))
    records = make_run(20, val=CRUSHED)
    found = diagnose(header, records)
    advised = [finding.code for finding in found.open_findings if finding.advice is not None]
    assert advised
    TrainingConsole(advise=True).epoch(header, records, found)
    _, *lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("  advice: ") for line in lines] == [True] * len(advised)
    TrainingConsole().epoch(header, records, found)
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_tells_epoch_loss_and_the_time_left_of_the_whole_training(width):
    console = TrainingConsole()
    console.planned(replace(PLAN, epochs=120))
    console.epoch(HEADER, make_run(1, seconds={"train": 60.0, "validation": 30.0}), FOUND)
    console.epoch_begins(101, 120)
    console.training_loss(0.412345)
    console.progress("epoch 101", 600, 1200)
    shown = plain(console.line.progress, width)
    assert shown.split()[:4] == ["epoch", "101/119", "loss", "0.4123"]
    assert shown.split()[-3:] == ["600/1200", "27:45", "left"]
    console.progress("validation", 600, 600)
    assert plain(console.line.progress, width).startswith("epoch 101/119 validation")
    assert "27:00 left" in plain(console.line.progress, width)


def test_the_bar_of_a_phase_outside_of_training_tells_of_the_phase():
    console = TrainingConsole()
    console.progress("scenes", 3, 4)
    shown = plain(console.line.progress, 80)
    assert shown.startswith("scenes") and "3/4" in shown and "left" not in shown


def test_sample_answers_are_lines_before_their_epoch(capsys):
    said = SampleAnswer(0, 1, "a.png", "what is it?", "[b]red[/b]", 0.5, "blue", False)
    TrainingConsole().sampled([said] * 8)
    assert (
        capsys.readouterr().err.splitlines()
        == [
            "what is it? -> [b]red[/b] 0.50, not blue",
        ]
        * 4
    )


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns and 24 lines, and what closes it and tells what it was sent."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("COLUMNS", "LINES", "NO_COLOR", "JPY_PARENT_PID"):
        monkeypatch.delenv(name, raising=False)
    sent = bytearray()

    def collect():
        with suppress(OSError):  # the terminal is closed
            while True:
                sent.extend(os.read(leader, 1 << 16))

    reader = threading.Thread(target=collect)
    reader.start()

    def close():
        stderr.close()
        reader.join()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent.decode())

    with os.fdopen(follower, "w") as stderr:
        yield stderr, close
    reader.join()
    os.close(leader)


def test_the_bar_stays_on_a_terminal_of_24_lines_and_the_rows_after_an_interruption(terminal):
    sample = SampleAnswer(29, 3, "a.png", "what is it?", "red", 0.5, "blue", False)
    stderr, close = terminal
    with redirect_stderr(stderr), TrainingConsole() as console:
        console.planned(replace(PLAN, epochs=50))
        records = make_run(30, val=CRUSHED)
        console.sampled([sample] * 8)
        console.epoch(HEADER, records, diagnose(HEADER, records))
        console.epoch_begins(30, 50)
        console.progress("epoch 30", 3, 9)
        drawn = console.console.render_lines(console._live.get_renderable())
    assert len(drawn) <= 24
    assert "epoch 30/49" in "".join(part.text for part in drawn[-1])
    last = close().splitlines()[-34:]
    rows = [line.split()[0] for line in last if line.strip()]
    assert [word for word in rows if word.isdecimal()] == [str(epoch) for epoch in range(30)]
