"""Signals that stop work from Python."""

import shutil
import signal

import pytest

import latentvqa
from latentvqa.engine.runtime.signals import Interrupted
from latentvqa.library.interrupts import usual_interrupts
from tests.small_runs import Interrupter


def test_an_interruption_is_what_python_code_expects_and_nothing_else_is_touched():
    with pytest.raises(KeyboardInterrupt) as stopped, usual_interrupts():
        raise Interrupted(130)
    assert isinstance(stopped.value.__cause__, Interrupted)
    with pytest.raises(SystemExit) as leaving, usual_interrupts():
        raise Interrupted(143)
    assert leaving.value.code == 143
    with pytest.raises(latentvqa.DataError, match="as it was"), usual_interrupts():
        raise latentvqa.DataError("as it was")


def test_a_terminated_evaluation_is_an_exit_and_a_run_can_be_extended(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    with pytest.raises(SystemExit) as leaving:
        latentvqa.evaluate(folder, observer=Interrupter("questions", 1, signal.SIGTERM))
    assert leaving.value.code == 143
    assert len(latentvqa.resume(folder, overrides=["stages.full=2"]).records) == 3
