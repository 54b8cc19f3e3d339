"""Processes that decode: real ones, killed, starved and signalled."""

import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from latentvqa.data.decoding import ImageTransform, decode_image
from latentvqa.data.decoding_processes import DecodingProcesses
from latentvqa.errors import DataError, LoaderError
from tests.small_runs import write_images

SQUARE = ImageTransform(16)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return sorted(write_images(tmp_path_factory.mktemp("images"), 6).iterdir())


def is_alive(pid):
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text()


def test_the_pixels_are_those_that_this_process_would_decode(paths):
    processes = DecodingProcesses(2)
    assert processes.processes() == []
    expected = np.stack([SQUARE(decode_image(path)) for path in paths])
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: processes.decode(paths, SQUARE), range(9)):
            assert np.array_equal(found, expected)
    assert len(processes.processes()) == 2


def test_a_bad_image_is_an_error_of_the_data_and_the_process_goes_on(paths, tmp_path):
    processes = DecodingProcesses(1)
    with pytest.raises(DataError, match=r"absent\.png: no such file"):
        processes.decode([paths[0], tmp_path / "absent.png"], SQUARE)
    assert processes.decode(paths[:1], SQUARE).shape == (1, 3, 16, 16)


def test_stop_signals_do_not_reach_the_processes(paths):
    processes = DecodingProcesses(1)
    processes.decode(paths, SQUARE)
    (pid,) = processes.processes()
    assert os.getpgid(pid) != os.getpgid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        os.kill(pid, number)
    assert processes.decode(paths, SQUARE).shape == (6, 3, 16, 16)


@pytest.mark.parametrize("is_asleep", [True, False])
def test_a_killed_process_is_named_with_its_signal_and_the_key(paths, is_asleep):
    processes = DecodingProcesses(1)
    processes.decode(paths, SQUARE)
    (pid,) = processes.processes()
    os.kill(pid, signal.SIGKILL)
    if is_asleep:
        while is_alive(pid):
            time.sleep(0.01)
    words = rf"loader\.workers = 1: the loader process {pid} was ended by SIGKILL; memory may"
    with pytest.raises(LoaderError, match=words):
        processes.decode(paths, SQUARE)


PROGRAM = """
import resource, sys
from pathlib import Path
from latentvqa.data.decoding import ImageTransform
from latentvqa.data.decoding_processes import DecodingProcesses
from latentvqa.errors import LoaderError
processes = DecodingProcesses(2)
{before}
try:
    processes.decode([Path(sys.argv[1])], ImageTransform(16))
    print(*processes.processes(), flush=True)
except LoaderError as error:
    print(error)
{after}
"""


def run_program(path, before="", after="", **options):
    program = PROGRAM.format(before=before, after=after)
    return subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_processes_that_cannot_start_are_an_error_with_the_cause(paths):
    files = len(os.listdir("/proc/self/fd")) + 2  # noqa: PTH208
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    done = run_program(
        paths[0], f"resource.setrlimit(resource.RLIMIT_NOFILE, ({min(files, 8)}, {hard}))"
    )
    assert done.stdout.startswith("loader.workers = 2: the processes cannot be started (Too many")
    assert done.stderr == ""


@pytest.mark.parametrize("end", ["", "import os; os.kill(os.getpid(), 9)", "del processes"])
def test_no_process_outlives_its_parent_however_that_ends(paths, end):
    done = run_program(paths[0], after=end)
    pids = [int(text) for text in done.stdout.split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(is_alive, pids))


def test_nothing_is_imported_from_the_working_folder(paths, tmp_path):
    for name in ("random.py", "select.py", "numpy.py", "PIL.py"):
        (tmp_path / name).write_text('raise SystemExit("imported from the working folder")')
    script = tmp_path / "scripts" / "script.py"
    script.parent.mkdir()
    script.write_text(PROGRAM.format(before="", after=""))
    done = subprocess.run(
        [sys.executable, script, str(paths[0])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(done.stdout.split()) == 2 and done.stderr == ""
