"""Named patterns of plain-text training logs: from one line to columns, or to nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from latentvqa.logs.columns.names import SPLIT_WORDS, meaning_of
from latentvqa.logs.columns.words import word_set

Pattern = Callable[[str], dict[str, str] | None]

LONGEST_TEXT = 10_000  # characters of a line that are looked at

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan\b|inf(?:inity)?\b)"
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WRAPPED = re.compile(
    rf"(?<![\w.])(?:tensor|array|(?:np\.|numpy\.)?float\d{{2}})\(\s*\[?\s*({_NUMBER})\]?[^()]{{0,80}}\)",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"(?<![A-Za-z_/])(epoch|ep|global_step|step|iteration|iter)\b['\"]?(?:\(\w{1,20}\))?"
    r"[\s:=#\[(]{0,4}(\d+(?:\.\d+)?)(?!\d|\.\d|e[-+]?\d)",
    re.IGNORECASE,
)
_KEY = r"(?!(?:nan|inf)\b)[^\W\d][\w/.\-]{0,60}"
_AT_A_NAME = r"(?<![^\W\d_])(?<![^\W\d_][./\-])"  # no name begins within one
_PAIR = re.compile(
    rf"{_AT_A_NAME}['\"]?({_KEY}(?: {_KEY}){{0,3}})['\"]?"
    rf"\s{{0,8}}(?:[:=]|->)\s{{0,8}}['\"]?({_NUMBER})(%?)",
    re.IGNORECASE,
)
_SPACED = re.compile(
    rf"(?<![\w.])({_KEY}(?: {_KEY}){{0,3}})\s{{1,8}}(?:-\s)?({_NUMBER})(%?)(?=[\s,;|)\]]|$)",
    re.IGNORECASE,
)
# words of prose that may stand before a name
_PROSE = word_set(
    "log root main am pm and with the current its at of is now after got "
    "results result metrics stats final set iter"
)
_LEVELS = frozenset({"INFO", "DEBUG", "WARNING", "ERROR", "Info", "Debug"})
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
    places = {place_name(found[1]): found[2] for found in PLACE.finditer(line)}
    metrics = list(_PAIR.finditer(line))
    row = _pairs(line)
    if not row:
        return None
    if metrics and not _TRAIN.search(line) and _VALIDATION.search(line[: metrics[0].end(1)]):
        row["split"] = "val"  # the line as a whole speaks of validation
    return {**row, **places}


def key_space(line: str) -> dict[str, str] | None:
    """``key 0.5`` pairs, parted by spaces alone, with ``Epoch 3`` and ``Step 100``."""
    places = {place_name(found[1]): found[2] for found in PLACE.finditer(line)}
    pairs = _by_column(_SPACED.finditer(line))
    return {**pairs, **places} if pairs else None


PATTERNS: dict[str, Pattern] = {
    "pytorch-vae": pytorch_vae,
    "key-value": key_value,
    "key-space": key_space,
}


def pattern_for(lines: Sequence[str]) -> tuple[str, int]:
    """The pattern that finds most measures in the first lines of a file, and how many.

    Where none finds a measure, the first that finds anything; of equals the first.
    """
    best, most = "", (0, 0)
    for name, pattern in PATTERNS.items():
        rows = [row for line in lines if (row := pattern(plain(line)))]
        known = sum(_is_measure(column) for row in rows for column in row)
        found = (known, min(len(rows), 1))
        if found > most:
            best, most = name, found
    return best, most[0]


def place_name(word: str) -> str:
    """Whether a word names an epoch or a step."""
    return "epoch" if word.lower().startswith("ep") else "step"


def plain(line: str) -> str:
    """A line without colours, marks of code and wrappers of its numbers, cut where very long."""
    text = line[:LONGEST_TEXT].replace("`", "")
    text = _COLOUR.sub("", text) if "\x1b" in text else text
    return _WRAPPED.sub(r" \1", text) if "(" in text else text


def _is_measure(column: str) -> bool:
    meaning = meaning_of(column)
    return meaning is not None and meaning.field.place in ("train", "val", "run")


def _pairs(line: str) -> dict[str, str]:
    """Keys with their numbers; a place such as ``epoch`` is not a measure."""
    return _by_column(_PAIR.finditer(line))


def _by_column(matches: Iterable[re.Match[str]]) -> dict[str, str]:
    """Each pair under its column; a name that comes again is of the split named before it."""
    row: dict[str, str] = {}
    split = ""
    for found in matches:
        key = found[1]
        if key.lower() in _COUNTS or PLACE.fullmatch(f"{key} {found[2]}"):
            continue
        column = _column(key)
        word = column.lower().partition("_")[0]
        if word in SPLIT_WORDS:
            split = SPLIT_WORDS[word]
        if column in row and split == "val":
            column = f"val_{column}"
        row[column] = found[2] + found[3]
    return row


@lru_cache(maxsize=1024)
def _column(key: str) -> str:
    """A key as a column, without the prose before it: ``INFO train loss`` is train_loss."""
    words = key.split()
    whole = "_".join(words)
    while len(words) > 1 and not _is_known("_".join(words)) and _is_prose(words[0]):
        words = words[1:]
    name = "_".join(words)
    return name if _is_known(name) else whole


def _is_prose(word: str) -> bool:
    """Whether a word says nothing of the name after it; a level of a logger is in capitals."""
    return word in _LEVELS or word.lower() in _PROSE


def _is_known(column: str) -> bool:
    meaning = meaning_of(column)
    return meaning is not None and meaning.field.place != "other"
