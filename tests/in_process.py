"""The command line in the process of the tests."""

import sys
from dataclasses import dataclass

import pytest

from latentvqa.cli import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, capsys):
    """Run the command line in this process; anything but an exit is a traceback."""

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["latentvqa", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Answer(code, printed.out, printed.err)

    return run
