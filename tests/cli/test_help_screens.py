"""Every command shows an example of itself, with options that it has."""

import re
import shlex

import pytest

from tests.docs.samples import command_tree

# groups have none, and the formats of convert show their files in their arguments
NAMES = [
    name
    for name, command in command_tree()
    if not hasattr(command, "commands") and not name.startswith("data convert")
]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_shows_an_example_that_it_takes(cli, name):
    shown = cli(*name.split(), "--help").out
    example = re.search(r"Example: (latentvqa .*?)\n *\n", shown, re.DOTALL)
    assert example is not None
    words = shlex.split(" ".join(example[1].split()))
    assert words[1 : 1 + len(name.split())] == name.split()
    for word in words:
        if word.startswith("--"):
            assert word in shown


@pytest.mark.parametrize("name", [name for name, _ in command_tree()])
def test_help_speaks_no_types_of_python(cli, name):
    shown = cli(*name.split(), "--help").out
    assert not re.search(r"<[a-z]|list\[", shown)
    assert "--help" in shown


def test_colours_of_help_and_errors_are_legible_on_white_and_on_black(here, monkeypatch, cli):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    for words in (["train", "--help"], ["train", "--epochs", "3"], ["evaluat"], ["evaluate"]):
        answer = cli(*words)
        text = answer.out + answer.err
        assert "\x1b[" in text
        assert not re.search(r"\x1b\[(\d;)*3[1-7]m", text)  # plain colours are the terminal's own
