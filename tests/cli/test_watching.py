"""Watching needs a log that grows, a process of its own and real signals."""

import os
import pty
import select
import signal
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from latentvqa.cli.watching import is_over
from latentvqa.core.records import KLConvention, StagePlan
from latentvqa.history import LOG_NAME, History, append_record, write_header
from tests.runs import HEADER, make_epoch, make_run
from tests.small_runs import interruptible

ROOT = Path(__file__).parents[2]
SHORT = replace(HEADER, stages=StagePlan(0, 2, 2))
SCREEN = {"COLUMNS": "80", "LINES": "30", "NO_COLOR": "1"}
SICK = {"information_bound": 0.5, "answer_gain": 0.1}


def start(*arguments, **options):
    return subprocess.Popen(
        interruptible("diagnose-kl", *arguments, "--watch"),
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "80",
            "LINES": "30",
            "NO_COLOR": "1",
        },
        **options,
    )


@pytest.fixture
def watch():
    """Start watchers whose output is piped; none outlives the test."""
    started = []

    def begin(*arguments):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(start(*arguments, **pipes))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def begin_log(folder, header=SHORT):
    folder.mkdir()
    write_header(folder / LOG_NAME, header)
    return folder


def test_each_new_epoch_is_one_line_and_the_end_comes_by_itself(watch, tmp_path):
    run = begin_log(tmp_path / "run")
    append_record(run / LOG_NAME, make_epoch(0))
    process = watch(run)
    assert process.stdout.readline().startswith("epoch 0/3  warmup  answer 1.000")
    for epoch in (1, 2):
        append_record(run / LOG_NAME, make_epoch(epoch))
        line = process.stdout.readline()
        assert line.startswith(f"epoch {epoch}/3") and line.endswith("[ok]\n")
    append_record(run / LOG_NAME, make_epoch(3))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("epoch 3/3") and "1.6 of the 1.7 nats" in out
    assert "KL\n" not in out  # the epochs were told before


def test_a_log_that_is_not_there_yet_is_waited_for(watch, tmp_path):
    process = watch(tmp_path / "run")
    assert "waiting for" in process.stderr.readline()
    run = begin_log(tmp_path / "run")
    for record in make_run(4):
        append_record(run / LOG_NAME, record)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "epoch 3/3" in out and "╭─ ok" in out


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--fail-on", "warning"], 3)])
def test_ctrl_c_ends_with_the_last_verdict(watch, tmp_path, options, code):
    run = begin_log(tmp_path / "run", HEADER)
    for record in make_run(6):
        append_record(run / LOG_NAME, record)
    process = watch(run, *options)
    assert "[ok]" in [process.stdout.readline() for _ in range(6)][-1]
    append_record(run / LOG_NAME, make_epoch(6, val=SICK))
    assert "[critical: collapse]" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")
    assert "╭─ critical: collapse" in out


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--fail-on", "critical"], 1)])
def test_ctrl_c_before_any_log_says_that_none_came(watch, tmp_path, options, code):
    process = watch(tmp_path / "run", *options)
    assert "waiting for" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert "no log came" in err and "Traceback" not in err


def test_a_log_that_holds_nothing_yet_is_waited_for_too(watch, tmp_path):
    (tmp_path / LOG_NAME).touch()
    process = watch(tmp_path)
    assert "holds no header and no epoch yet" in process.stderr.readline()
    (tmp_path / LOG_NAME).unlink()
    write_header(tmp_path / LOG_NAME, HEADER)
    append_record(tmp_path / LOG_NAME, make_epoch(0))
    assert process.stdout.readline().startswith("epoch 0/49")


def test_a_row_is_told_when_its_line_has_ended(watch, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,kl,val_loss\n0,0.5,2.5\n1,0.25,1")
    process = watch(path)
    assert process.stdout.readline().startswith("epoch 0  kl 0.500")
    with path.open("a") as file:
        file.write(".5\n2,0.1")
    assert process.stdout.readline().startswith("epoch 1  kl 0.250")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert not out.startswith("epoch")


def test_a_run_that_starts_anew_is_told_from_its_first_epoch(watch, tmp_path):
    run = begin_log(tmp_path / "run", HEADER)
    for record in make_run(3):
        append_record(run / LOG_NAME, record)
    process = watch(run)
    assert [process.stdout.readline()[:7] for _ in range(3)] == [f"epoch {n}" for n in range(3)]
    (run / LOG_NAME).unlink()
    write_header(run / LOG_NAME, SHORT)
    append_record(run / LOG_NAME, make_epoch(0))
    assert process.stdout.readline().startswith("epoch 0/3")


def read_panel(terminal):
    """Read until a verdict has been drawn."""
    part = b""
    while "╭─ ok".encode() not in part:
        assert select.select([terminal], [], [], 60)[0], part.decode()
        part += os.read(terminal, 65536)
    return part


def test_a_terminal_shows_the_table_that_grows(tmp_path):
    run = begin_log(tmp_path / "run")
    append_record(run / LOG_NAME, make_epoch(0))
    leader, follower = pty.openpty()
    process = start(run, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen = read_panel(leader)
    for record in make_run(4)[1:]:
        append_record(run / LOG_NAME, record)
        seen += read_panel(leader)
    with suppress(OSError):  # the other end is closed when the process is done
        while more := os.read(leader, 65536):
            seen += more
    assert process.wait(60) == 0
    os.close(leader)
    text = seen.decode()
    assert "epochs so far: 1; Ctrl-C ends" in text
    assert text.count("╭─ ok") >= 4
    assert text.rstrip().endswith("╯")


def history(records, header=SHORT):
    return History(header, tuple(records), (), Path(LOG_NAME))


def test_a_run_is_over_at_its_planned_end_or_without_patience():
    assert not is_over(history([]))
    assert not is_over(history(make_run(3)))
    assert is_over(history(make_run(4)))
    patient = replace(HEADER, patience=5)
    assert not is_over(history(make_run(3, patience_used=4), patient))
    assert is_over(history(make_run(3, patience_used=5), patient))


def test_an_assumed_plan_ends_nothing():
    assumed = replace(SHORT, kl=KLConvention(is_assumed=True))
    assert not is_over(history(make_run(9), assumed))
    assert not is_over(history(make_run(9), replace(SHORT, counts_epochs=False)))
