import os
import threading
from pathlib import Path

import pytest

from latentvqa.errors import HistoryError
from latentvqa.logs import read_log

LOG = "epoch,loss,recon,kl\n0,95.0,90.0,5.0\n1,88.0,82.0,6.0\n"


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "log.csv"
    os.mkfifo(path)
    return path


def read_through_pipe(parts):
    """What is read from a pipe as a shell makes it, into which a thread writes."""
    source, sink = os.pipe()

    def write():
        with os.fdopen(sink, "wb") as writer:
            for part in parts:
                writer.write(part.encode())
                writer.flush()

    writing = threading.Thread(target=write)
    writing.start()
    try:
        return read_log(f"/dev/fd/{source}")
    finally:
        writing.join()
        os.close(source)


@pytest.mark.parametrize("parts", [(LOG,), (LOG[:30], LOG[30:]), (LOG, "#" * 300_000)])
def test_a_log_that_comes_through_a_pipe_is_read_like_a_file(parts):
    history = read_through_pipe(parts)
    assert [record.train.kl_raw for record in history.records] == [5.0, 6.0]
    assert history.path.parent == Path("/dev/fd")
    assert history.header.name == history.path.name


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(pipe):
    with pytest.raises(HistoryError, match=r"log\.csv is a pipe that brings nothing"):
        read_log(pipe)


def test_an_error_names_the_pipe_and_not_the_copy():
    with pytest.raises(HistoryError, match=r"^/dev/fd/") as raised:
        read_through_pipe(["hello\n"])
    assert "latentvqa-" not in str(raised.value)


def test_a_pipe_in_the_place_of_a_run_s_log_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "metrics.jsonl")
    with pytest.raises(HistoryError, match="a pipe that brings nothing"):
        read_log(tmp_path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(tmp_path, device):
    (tmp_path / "log.csv").symlink_to(device)
    with pytest.raises(HistoryError, match="is a device"):
        read_log(tmp_path / "log.csv")
