from rich.panel import Panel
from rich.text import Text

from latentvqa.report.text import escaped, plain, printable


def test_what_could_steer_a_terminal_is_left_out():
    assert printable("a\x1b[2J\x00\r\n\x9bb") == "a[2Jb"
    assert printable("日本語 ✓") == "日本語 ✓"


def test_control_characters_are_dropped_from_a_cell_and_escaped_in_a_message():
    assert printable("a\x1b[31mb\nc") == "a[31mbc"
    assert escaped("a\x1b[31mb\nc\td é 日本") == "a\\x1b[31mb\nc\\td é 日本"
    assert escaped("\udcff.png") == "\\udcff.png"


def test_a_renderable_becomes_lines_of_a_width_without_colour(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = plain(Panel(Text("red", style="bold red")), 20).splitlines()
    assert [line[1:-1].strip() for line in lines] == ["─" * 18, "red", "─" * 18]
    assert {len(line) for line in lines} == {20}
