import os
import signal
import subprocess
import sys
import threading

import pytest

from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.runtime.signals import Interrupted, StopFlag, StoppableObserver
from tests.small_runs import Recorder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_remembered_until_the_next_poll(number, code):
    with StopFlag() as stop:
        stop.poll()
        os.kill(os.getpid(), number)
        assert stop.exit_code == code
        with pytest.raises(Interrupted) as caught:
            stop.poll()
    assert caught.value.exit_code == code


def test_a_sigterm_after_a_sigint_does_not_quit():
    with StopFlag() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            stop.poll()


def test_the_former_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(RuntimeError), StopFlag():
        assert signal.getsignal(signal.SIGINT) != before[0]
        raise RuntimeError
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_outside_the_main_thread_the_host_keeps_its_handlers():
    seen = []

    def work():
        with StopFlag() as stop:
            stop.poll()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


PROGRAM = """
import os, signal, time
from latentvqa.engine.runtime.signals import StopFlag
with StopFlag() as stop:
    for _ in range({signals}):
        os.kill(os.getpid(), signal.SIGINT)
    print("still here", flush=True)
"""


@pytest.mark.parametrize(("signals", "code", "printed"), [(1, 0, "still here\n"), (2, 130, "")])
def test_a_second_ctrl_c_quits_at_once(signals, code, printed):
    program = PROGRAM.format(signals=signals)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, "")


def test_a_forked_worker_ignores_the_handler_that_it_inherits():
    with StopFlag() as stop:
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(0 if stop.exit_code is None else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_every_report_of_progress_is_a_place_to_stop():
    with StopFlag() as stop:
        heard = Recorder()
        observer: Observer = StoppableObserver(heard, stop)
        observer.notice("told")
        observer.progress("images", 1, 2)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            observer.progress("images", 2, 2)
    assert heard.notices == ["told"]
