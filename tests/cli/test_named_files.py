"""A pipe, a device or a folder in the place of a file that an option names: never waited for."""

import os
import signal
from contextlib import contextmanager

import pytest

from tests.small_runs import TINY

SECONDS = 60

# what opens the file; every other argument is sound as far as it is looked at before
COMMANDS = {
    "a configuration": ["train", "--dry-run", "--config", "FILE"],
    "a plan": ["ablate", "FILE"],
    "a training table": [
        "train",
        "--dry-run",
        "--set",
        "data.train=FILE",
        "--set",
        "data.images=.",
    ],
    "weights": ["train", "--dry-run", *TINY, "--set", "vision.pretrained=FILE"],
    "an audited table": ["data", "audit", "FILE"],
    "questions to ask": ["predict", ".", ".", "--questions", "FILE"],
    "VQA v2": ["data", "convert", "vqa-v2", "--questions", "FILE", "--out", "t.csv"],
    "VQA v2 answers": [
        *["data", "convert", "vqa-v2", "--questions", "sound.json"],
        *["--annotations", "FILE", "--out", "t.csv"],
    ],
    "GQA": ["data", "convert", "gqa", "--questions", "FILE", "--out", "t.csv"],
    "CLEVR": ["data", "convert", "clevr", "--questions", "FILE", "--out", "t.csv"],
    "easy-VQA": ["data", "convert", "easy-vqa", "--questions", "FILE", "--out", "t.csv"],
    "a log": ["diagnose-kl", "FILE"],
    "a run": ["report", "FILE"],
}
SOUND = '{"questions": [{"image_id": 1, "question": "what?", "question_id": 1}]}'


def _hangs(number, frame):
    raise AssertionError("it waits")


@contextmanager
def at_most(seconds):
    former = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_is_no_file_is_refused_with_a_sentence(cli, tmp_path, monkeypatch, command, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sound.json").write_text(SOUND)
    suffix = {"ablate": "p.toml", "data": "p.csv", "train": "p.csv"}.get(command[0], "p.jsonl")
    path = tmp_path / suffix
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with at_most(SECONDS):
        found = cli(*[one.replace("FILE", str(path)) for one in command])
    assert found.code in (1, 2)
    assert found.err.splitlines()[-1].startswith("error: ")
    assert path.name in found.err or str(path.resolve()) in found.err
