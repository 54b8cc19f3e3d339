"""What must become of an input: accepted with these values, or refused in these words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STEERING = "\x00\x07\x1b\x7f\x9b\u202e"


@dataclass(frozen=True)
class Accepted:
    """The input is read, and these are the values that are read from it; so is it judged."""

    values: Any
    code: str | None = None


@dataclass(frozen=True)
class Refused:
    """The command ends with an error that holds all of these words."""

    words: tuple[str, ...]


def require_sentence(answer, refused: Refused, code: int) -> None:
    """The command said in a few lines what is wrong, and nothing steers the terminal."""
    assert answer.code == code, answer
    assert answer.err.startswith("error: "), answer.err
    assert len(answer.err) < 8000, len(answer.err)
    for word in refused.words:
        assert word in answer.err, (word, answer.err)


def require_plain(answer) -> None:
    """Nothing that was printed steers a terminal."""
    assert not set(answer.out + answer.err) & set(STEERING)
