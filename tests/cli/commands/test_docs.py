import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import tomllib
from pathlib import Path

import pytest

import latentvqa
from latentvqa.cli.commands.docs import manual_pages

PACKAGE = Path(latentvqa.__file__).parent


def on_terminal(*arguments, columns=80):
    """What a terminal receives from ``latentvqa docs`` under a pager that only copies."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PAGER": "cat"}
    environment.pop("COLUMNS", None)
    started = subprocess.Popen(
        [sys.executable, "-m", "latentvqa", "docs", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    received = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end has closed
            break
        if not more:
            break
        received += more
    os.close(ours)
    assert started.wait() == 0
    return received.decode().replace("\r\n", "\n")


def test_without_a_topic_every_page_has_a_line(cli):
    answer = cli("docs")
    lines = answer.out.splitlines()
    assert answer.code == 0
    for topic in manual_pages():
        assert any(line.split()[:1] == [topic] and len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("topic", manual_pages())
def test_a_page_is_plain_markdown_where_stdout_is_no_terminal(cli, topic):
    answer = cli("docs", topic)
    text = (PACKAGE / "docs" / f"{topic}.md").read_text(encoding="utf-8")
    assert answer.code == 0
    assert answer.out.startswith(text.partition("\n")[0])
    assert "\x1b" not in answer.out
    assert "<!--" not in answer.out
    kept = [line for line in text.splitlines() if not line.startswith("<!--")]
    assert answer.out.splitlines() == kept


def test_a_topic_is_found_in_any_case_and_by_its_file_name(cli):
    assert cli("docs", "Train").out == cli("docs", "train.md").out == cli("docs", "train").out


def test_an_unknown_topic_names_the_nearest_and_all(cli):
    answer = cli("docs", "evalute")
    assert answer.code == 2
    assert "docs evalute: there is no such topic; the nearest is evaluate" in answer.err
    assert "schedules" in answer.err
    assert answer.out == ""


@pytest.mark.parametrize("columns", [60, 80])
def test_a_terminal_receives_a_rendered_page(columns):
    shown = on_terminal("train", columns=columns)
    assert "\x1b[1m" in shown
    assert "Train a model, stop it, resume it" in shown
    assert "latentvqa train [--config FILE] [--preset NAME]" in shown
    assert "## " not in shown
    assert "| preset | for |" not in shown
    assert "latentvqa docs data" in shown  # a link leads to the command that opens it
    assert ".md)" not in shown


def test_a_sample_wider_than_the_terminal_is_cut_and_says_so():
    shown = on_terminal("other-logs", columns=60)
    assert "(cut: a terminal of 80 columns shows all of it)" in shown
    assert "─…" in shown
    whole = on_terminal("other-logs", columns=80)
    assert "(cut:" not in whole
    assert "…" not in whole


def test_pages_and_pictures_are_part_of_the_package():
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["latentvqa"]
    packaged = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    held = {path for path in (PACKAGE / "docs").rglob("*") if path.is_file()}
    assert held
    assert held <= packaged


def test_the_manual_needs_nothing_heavy():
    code = (
        "import sys; sys.argv = ['latentvqa', 'docs', 'rules'];"
        "from latentvqa.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'pandas', 'numpy', 'matplotlib', 'pyarrow')\n"
        "print('LOADED', [name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("# ")
    assert found.stdout.endswith("LOADED []\n")
