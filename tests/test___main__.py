"""The program as a process, from its first moment to its last."""

import os
import signal
import subprocess
import sys

import pytest

import latentvqa
from tests.small_runs import handles_signals, start_cli, wait_until


def test_nothing_is_imported_from_the_folder_that_the_user_works_in(tmp_path):
    for name in ("random.py", "select.py", "timm.py", "typer.py", "rich.py"):
        (tmp_path / name).write_text('raise SystemExit("imported from the working folder")')
    done = subprocess.run(
        [sys.executable, "-m", "latentvqa", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{latentvqa.__version__}\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_while_the_program_is_loaded_ends_it_without_a_word(tmp_path, number, code):
    process = start_cli("train", "--dry-run", cwd=tmp_path)
    wait_until(lambda: handles_signals(process.pid), process)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (code, "", "")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_usage_keeps_its_code(tmp_path):
    process = start_cli("train", "--config", "absent.toml", cwd=tmp_path)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2 and err.startswith("error: absent.toml: no such file")
