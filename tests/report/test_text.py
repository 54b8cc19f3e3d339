import json
import sys

from rich.panel import Panel
from rich.text import Text

from latentvqa.report.text import escaped, json_text, plain, printable, say

STEERING = "\x00\x07\x1b\x7f\x9b\u061c\u200e\u2028\u202e\u2066\ud800\r\t"


def test_what_could_steer_a_terminal_is_left_out():
    assert printable("a\x1b[2J\x00\r\n\x9bb") == "a[2Jb"
    assert printable("日本語 ✓") == "日本語 ✓"


def test_control_characters_are_dropped_from_a_cell_and_escaped_in_a_message():
    assert printable("a\x1b[31mb\nc") == "a[31mbc"
    assert escaped("a\x1b[31mb\nc\td é 日本") == "a\\x1b[31mb\nc\\td é 日本"
    assert escaped("\udcff.png") == "\\udcff.png"


def test_nothing_that_steers_is_left_by_any_of_them(capsys):
    assert printable(f"a{STEERING}b\n") == "ab"
    say(f"a{STEERING}b")
    say(f"a{STEERING}b", is_notice=True)
    printed = capsys.readouterr()
    for text in (escaped(f"a{STEERING}b"), json_text([STEERING]), printed.out, printed.err):
        assert not set(text) & set(STEERING)
    assert json.loads(json_text({STEERING: [STEERING, 1]}, indent=2)) == {STEERING: [STEERING, 1]}


def test_letters_and_spaces_of_every_script_stay():
    text = "\u0645\u06cc\u200c\u062e \u72ac\u3000\u4f55 a\u00a0b \U0001f469\u200d\U0001f467"
    assert printable(text) == escaped(text) == text
    assert text in json_text([text])


def test_a_renderable_becomes_lines_of_a_width_without_colour(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = plain(Panel(Text("red", style="bold red")), 20).splitlines()
    assert [line[1:-1].strip() for line in lines] == ["─" * 18, "red", "─" * 18]
    assert {len(line) for line in lines} == {20}


def test_prose_is_broken_between_words_and_never_before_a_sign(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr("latentvqa.report.text._columns", lambda stream: 14)
    say("right in 98.7 % of\n  a command that stays whole", is_prose=True)
    assert capsys.readouterr().out == "right in\n98.7 % of\n  a command that stays whole\n"
