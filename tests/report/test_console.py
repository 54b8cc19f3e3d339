"""What a terminal gets to see of texts that would steer it."""

import os
import pty
from io import StringIO

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from latentvqa.report.console import PlainConsole

EVIL = "a\x1b[31m\x1b]0;title\x07\x9b2J\u202eb"


def printed(*renderables, **options):
    file = StringIO()
    PlainConsole(file=file, width=100, **options).print(*renderables)
    return file.getvalue()


def test_control_characters_of_any_renderable_are_shown_and_not_sent():
    table = Table("name")
    table.add_row(Text(EVIL))
    for renderable in (EVIL, Text(EVIL), Panel(Text(EVIL), title=Text(EVIL)), table):
        text = printed(renderable, force_terminal=False)
        assert r"\x1b[" in text or r"\x1b]" in text
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}


def test_the_colours_of_the_program_itself_are_sent():
    assert "\x1b[31mred" in printed(
        Text("red", "red"), force_terminal=True, color_system="standard"
    )


def test_lines_stay_lines():
    assert printed("a\nb", force_terminal=False) == "a\nb\n"


def test_a_notebook_is_no_terminal_whose_lines_can_be_drawn_over(monkeypatch):
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as file:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("JPY_PARENT_PID", raising=False)
        assert PlainConsole(file=file).is_terminal
        monkeypatch.setenv("JPY_PARENT_PID", "1")
        assert not PlainConsole(file=file).is_terminal
    os.close(leader)
