"""Real signals to this process and to others."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from pydantic_core import SchemaError, SchemaValidator, core_schema

from latentvqa import stopping
from latentvqa.errors import CheckpointError
from latentvqa.stopping import (
    SIGNALS,
    Interrupted,
    before_quitting,
    deferred,
    heard_signals,
    poll,
    poll_if_lost,
    requested,
    undisguised,
    usual_interrupts,
)
from tests.small_runs import interrupted, interruptible_python

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGUSR1: 138}


def test_what_a_person_a_system_a_terminal_and_a_scheduler_send_is_heard():
    assert set(SIGNALS) == CODES.keys()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_stops_at_once_what_defers_nothing(number):
    with interrupted() as caught:
        os.kill(os.getpid(), number)
        time.sleep(10)
    assert caught.value.exit_code == CODES[number]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_deferred_signal_waits_for_the_next_poll(number):
    reached = []
    with interrupted() as caught, deferred():
        poll()
        os.kill(os.getpid(), number)
        reached.append(requested())
        poll()
        reached.append("beyond")
    assert reached == [number]
    assert caught.value.exit_code == CODES[number]


def test_a_block_that_never_polls_is_ended_before_it_is_stopped():
    reached = []
    with interrupted(), deferred():
        with deferred():
            os.kill(os.getpid(), signal.SIGTERM)
        reached.append("end")
    assert reached == ["end"]


def test_an_error_of_a_block_is_not_hidden_by_a_signal():
    with heard_signals(), pytest.raises(ValueError, match="as it was"), deferred():
        os.kill(os.getpid(), signal.SIGTERM)
        raise ValueError("as it was")


def test_more_signals_of_a_system_do_not_disturb_what_is_saved():
    saved = []
    with interrupted() as caught:
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            with deferred():
                os.kill(os.getpid(), signal.SIGTERM)
            saved.append("saved")
    assert saved == ["saved"]
    assert caught.value.exit_code == 138


def test_no_catcher_of_errors_takes_it_for_one():
    with interrupted():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except Exception:
            pytest.fail("caught")


class Signalling:
    """A value whose name is asked for when a signal comes."""

    def __repr__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        return "a value"


def build_while_a_signal_comes():
    """An extension that raises an error of its own for what Python code raises within."""
    SchemaValidator(core_schema.literal_schema([Signalling()]))


def test_what_an_extension_makes_of_a_signal_is_the_signal_again():
    with interrupted() as caught, undisguised():
        build_while_a_signal_comes()
    assert caught.value.number == signal.SIGTERM
    with pytest.raises(SystemExit) as leaving, usual_interrupts():
        build_while_a_signal_comes()
    assert leaving.value.code == 143


@pytest.mark.parametrize("error", [OSError("full"), CheckpointError("full"), ValueError("a bug")])
def test_an_error_that_no_signal_is_the_cause_of_stays_what_it_is(error):
    with pytest.raises(type(error)), heard_signals(), undisguised():
        if not isinstance(error, ValueError):
            with pytest.raises(Interrupted):
                os.kill(os.getpid(), signal.SIGTERM)
        raise error


def test_a_signal_that_was_taken_for_an_error_stops_the_work_at_its_next_step():
    reached = []
    with interrupted():
        with pytest.raises(SchemaError, match="Interrupted"):
            build_while_a_signal_comes()
        with deferred():
            poll_if_lost()
            reached.append("a block that defers")
        poll_if_lost()
        reached.append("beyond")
    assert reached == ["a block that defers"]


def test_a_signal_that_comes_in_a_finaliser_is_heard_again():
    class Finalised:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0)

    with interrupted():
        thing = Finalised()
        del thing
        gc.collect()
        time.sleep(10)


def test_the_former_handlers_come_back():
    before = [signal.getsignal(number) for number in SIGNALS]
    hook = sys.unraisablehook
    with pytest.raises(RuntimeError), heard_signals():
        inside = [signal.getsignal(number) for number in SIGNALS]
        with heard_signals():
            pass
        assert [signal.getsignal(number) for number in SIGNALS] == inside != before
        raise RuntimeError
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert sys.unraisablehook is hook


def test_what_a_process_was_told_to_ignore_stays_ignored():
    """As by nohup, so that a closed terminal ends nothing."""
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with heard_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            poll()
    finally:
        signal.signal(signal.SIGHUP, former)


def test_outside_the_main_thread_the_host_keeps_its_handlers():
    seen = []

    def work():
        with heard_signals(), deferred():
            poll()
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_a_copy_of_the_process_is_ended_as_if_it_heard_nothing():
    with heard_signals(), deferred():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGTERM
        poll()


PROGRAM = """
import os, signal
from latentvqa.stopping import before_quitting, deferred, heard_signals
with heard_signals(), deferred(), before_quitting(lambda: print("tidied", flush=True)):
    for number in ({numbers}):
        os.kill(os.getpid(), number)
    print("still here", flush=True)
    os._exit(0)
"""


@pytest.mark.parametrize(
    ("numbers", "code", "printed"),
    [
        ("signal.SIGINT,", 0, "still here\n"),
        ("signal.SIGINT, signal.SIGTERM", 0, "still here\n"),
        ("signal.SIGINT, signal.SIGINT", 130, "tidied\n"),
        ("signal.SIGTERM, signal.SIGINT", 130, "tidied\n"),
    ],
)
def test_ctrl_c_after_another_signal_quits_at_once(numbers, code, printed):
    program = PROGRAM.format(numbers=numbers)
    done = subprocess.run(
        interruptible_python("-c", program), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, "")


def test_an_action_before_quitting_is_forgotten_with_its_block():
    with heard_signals():
        with before_quitting(list):
            pass
        assert stopping._hearing is not None
        assert stopping._hearing.before_quitting == []


def test_a_process_that_leaves_says_all_it_had_to_say_and_waits_for_nobody():
    program = (
        "import threading, time; from latentvqa.stopping import leave\n"
        "threading.Thread(target=time.sleep, args=[600]).start(); print('said'); leave(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "said\n", "")


def test_words_that_cannot_be_said_any_more_are_an_error():
    program = "from latentvqa.stopping import leave; print('said'); leave(0)"
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run([sys.executable, "-c", program], stdout=full, check=False)
    assert done.returncode == 1


def test_python_code_gets_the_exceptions_that_it_expects():
    with pytest.raises(KeyboardInterrupt) as stopped, usual_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert isinstance(stopped.value.__cause__, Interrupted)
    with pytest.raises(SystemExit) as leaving, usual_interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert leaving.value.code == 143
    with pytest.raises(ValueError, match="as it was"), usual_interrupts():
        raise ValueError("as it was")
