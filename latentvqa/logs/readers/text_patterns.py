"""Rows of a plain-text training log, by a named pattern.

A pattern turns one line into columns or into nothing; the lines in between
(progress bars, warnings, prose) are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from latentvqa.logs.columns.names import meaning_of
from latentvqa.logs.notes import Notes
from latentvqa.logs.readers.rows import Row
from latentvqa.logs.readers.source import lines_of

Pattern = Callable[[str], dict[str, str] | None]

LONGEST_TEXT = 10_000  # characters of a line that are looked at

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan\b|inf(?:inity)?\b)"
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLACE = re.compile(
    r"(?<![A-Za-z_/])(epoch|ep|global_step|step|iteration|iter)\b['\"]?[\s:=#\[(]{0,4}(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_KEY = r"[A-Za-z_][\w/.\-]{0,60}"
_PAIR = re.compile(
    rf"['\"]?({_KEY}(?: {_KEY}){{0,3}})['\"]?\s{{0,8}}[:=]\s{{0,8}}['\"]?({_NUMBER})(%?)",
    re.IGNORECASE,
)
_COUNTS = ("epochs", "steps", "iterations")  # settings that a script prints, not places
_TRAIN = re.compile(r"\btrain(?:ing)?\b|\btrain_", re.IGNORECASE)
_VALIDATION = re.compile(
    r"(?<![A-Za-z])(?:val|valid|validation|eval|evaluation|test)(?![A-Za-z])", re.IGNORECASE
)
_VAE_STEP = re.compile(rf"Train Epoch:\s*(\d+)\s*\[[^\]]*\]\s*(?:Loss:\s*({_NUMBER}))?", re.I)
_VAE_EPOCH = re.compile(rf"====>\s*Epoch:\s*(\d+)\s*Average loss:\s*({_NUMBER})", re.IGNORECASE)
_VAE_TEST = re.compile(rf"====>\s*Test set loss:\s*({_NUMBER})", re.IGNORECASE)


def pytorch_vae(line: str) -> dict[str, str] | None:
    """The lines of the VAE script among PyTorch's examples."""
    if found := _VAE_EPOCH.search(line):
        return {"epoch": found[1], "loss_epoch": found[2], **_pairs(line[found.end() :])}
    if found := _VAE_TEST.search(line):
        rest = {f"val_{name}": value for name, value in _pairs(line[found.end() :]).items()}
        return {"val_loss": found[1], **rest}
    if found := _VAE_STEP.search(line):
        row = {"epoch": found[1], **_pairs(line[found.end() :])}
        return row | ({"loss_step": found[2]} if found[2] else {})
    return None


def key_value(line: str) -> dict[str, str] | None:
    """``key: value`` and ``key=value`` pairs, with ``Epoch 3/50`` and ``Step 100``."""
    places = {_place_name(found[1]): found[2] for found in _PLACE.finditer(line)}
    metrics = list(_PAIR.finditer(line))
    row = _pairs(line)
    if not row:
        return None
    if metrics and not _TRAIN.search(line) and _VALIDATION.search(line[: metrics[0].end(1)]):
        row["split"] = "val"  # the line as a whole speaks of validation
    return {**row, **places}


PATTERNS: dict[str, Pattern] = {"pytorch-vae": pytorch_vae, "key-value": key_value}


def pattern_for(lines: Sequence[str]) -> str | None:
    """The name of the pattern that the first lines of a file follow."""
    for name, pattern in PATTERNS.items():
        if any(pattern(_plain(line)) for line in lines):
            return name
    return None


def text_rows(path: Path, notes: Notes, pattern: str, *, is_growing: bool = False) -> Iterator[Row]:
    """What a pattern finds, line by line."""
    find = PATTERNS[pattern]
    for _, line in lines_of(path, notes, is_growing=is_growing):
        row = find(_plain(line))
        if row:
            yield row


def _pairs(line: str) -> dict[str, str]:
    """Keys with their numbers; a place such as ``epoch`` is not a measure."""
    return {
        _column(found[1]): found[2] + found[3]
        for found in _PAIR.finditer(line)
        if found[1].lower() not in _COUNTS and not _PLACE.fullmatch(f"{found[1]} {found[2]}")
    }


@lru_cache(maxsize=1024)
def _column(key: str) -> str:
    """A key as a column, without the prose before it: ``INFO train loss`` is train_loss."""
    words = key.split()
    known = ("_".join(words[at:]) for at in range(len(words)))
    return next((name for name in known if meaning_of(name) is not None), "_".join(words))


def _place_name(word: str) -> str:
    return "epoch" if word.lower().startswith("ep") else "step"


def _plain(line: str) -> str:
    return _COLOUR.sub("", line[:LONGEST_TEXT]) if "\x1b" in line else line[:LONGEST_TEXT]
