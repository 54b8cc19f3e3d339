"""Rows of a plain-text log: what a pattern finds in each line, with its place and split.

A heading names the epoch, the step or the split of the lines below it. Options that
a script prints first, progress so far and closing words are told from measures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from latentvqa.logs.columns.names import meaning_of
from latentvqa.logs.columns.words import is_like_kl
from latentvqa.logs.notes import Notes
from latentvqa.logs.readers.boxes import boxed_cells, boxed_rows
from latentvqa.logs.readers.commas import DECIMAL_NOTE, comma_reading, with_points
from latentvqa.logs.readers.rows import RUNNING, Row
from latentvqa.logs.readers.source import head_lines, head_of, lines_of
from latentvqa.logs.readers.text_patterns import (
    PATTERNS,
    PLACE,
    Pattern,
    key_space,
    place_name,
    plain,
)

LONGEST_HEADING = 100
MOST_CELLS = 200  # between the bars of a line
FEWEST_MEASURES = 2  # known ones that a line without any sign must hold

_SPLIT_WORD = (
    r"(?<![\w/.\-])(?P<split>train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|dev|test(?:ing)?)"
)
_SPLIT = re.compile(_SPLIT_WORD + r"(?=[\s:\]|)>\-]+)", re.IGNORECASE)
_SPLIT_HEADING = re.compile(
    r"[\W_]*"
    + _SPLIT_WORD
    + r"(?:\s+(?:set|split|loss|losses|results?|metrics|phase|stats))?[\W_]*",
    re.IGNORECASE,
)
_PLACE_HEADING = re.compile(
    r"(?:.*(?:[:\]|>\-#=*\u2500-\u257f]|\b(?:INFO|DEBUG|WARNING))\s*)?(?:(?:begin\w*|start\w*|train\w*)\s+)?(?:global_step|step|epoch|ep|iter\w*)\b",
    re.IGNORECASE,
)
_OPTIONS = re.compile(
    r"namespace\(|^\W*(?:args|arguments|options|config\w*|hparams|hyper-?param\w*|settings)\b[^|]*[:=({]",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"\bend of training\b|\bbest (?:epoch|model|val\w*)\b", re.IGNORECASE)
_BAR = re.compile(r"(?<!\d)(?P<n>\d+)/\d+\s*\[[=>.\-# ]{5,}\]")
_LINES = r"\u2501\u2578\u257a"  # what a bar in colours is drawn with
_RICH_BAR = re.compile(rf"(?<![{_LINES}])[{_LINES}]{{3}}[{_LINES} ]*(?P<n>\d+)/\d+")
_TQDM = re.compile(r"(?<!\d)\d+%\|[^|]*\|\s*(?P<n>\d+)/\d+\s*\[[^,\]]*,?[^,\]]*,?")
_EPOCH_AND_STEP = re.compile(r"^\s*\[\s*(\d+)\s*/\s*\d+\s*\]\s*\[\s*(\d+)\s*/\s*\d+\s*\]")
_LEADING_STEP = re.compile(r"^\s*\[?\s*(\d+)(?:\s*/\s*\d+)?\s*\]?(?=\s)")
_STEP_OF = re.compile(r"\[\s*(\d+)\s*/\s*\d+|(?<=[\s:,])(\d+)\s*/\s*\d+(?=\s)")


def text_rows(path: Path, notes: Notes, pattern: str, *, is_growing: bool = False) -> Iterator[Row]:
    """What a pattern finds, line by line."""
    with_commas_read = comma_reading(head_lines(head_of(path)))
    if with_commas_read is with_points:
        notes.add(DECIMAL_NOTE)
    whole = lines_of(path, notes, is_growing=is_growing)
    lines = (with_commas_read(plain(line)) for _, line in whole)
    if pattern == "boxes":
        yield from boxed_rows(lines)
        return
    reader = _LineReader(PATTERNS[pattern], has_places=pattern != "pytorch-vae")
    for line in lines:
        if row := reader.row(line):
            yield row


def boxes_in(lines: list[str]) -> int:
    """How many measures boxes hold in these lines."""
    cells = (boxed_cells(plain(line)) for line in lines)
    return sum(1 for cell in cells if cell is not None and cell[1])


class _LineReader:
    """One line after the other, under the headings met so far."""

    def __init__(self, find: Pattern, *, has_places: bool) -> None:
        self._find = find
        self._has_places = has_places
        self._epoch: str | None = None
        self._step: str | None = None
        self._split = ""
        self._has_measured = False
        self._measured: set[str] = set()  # columns since the last place
        self._last_split = ""  # that a column's own name said since then

    def row(self, line: str) -> Row | None:
        if _OPTIONS.search(line) or _CLOSING.search(line):
            return None
        if not self._has_places:
            return self._find(line)
        text, progress = _without_progress(line)
        row = self._measures(text, self._find) or self._spaced(text)
        places = _places(text, line, progress)
        if not row:
            self._read_heading(text, places)
            return None
        if not self._has_measured and not self._is_begun(row, places):
            return None
        self._has_measured = True
        row = self._under_last_split(row, is_placed=bool(places))
        if "epoch" in places:
            self._epoch = places["epoch"]
            self._step = None
        reached = {} if self._epoch is None else {"epoch": self._epoch}
        reached |= {} if self._step is None else {"step": self._step}
        running = {} if progress is None else {RUNNING: "1"}
        return {**row, **reached, **places, **running}

    def _begin_place(self) -> None:
        self._measured.clear()
        self._last_split = ""

    def _under_last_split(self, row: dict[str, str], *, is_placed: bool) -> dict[str, str]:
        """A row whose columns come again below one of validation is of validation, too."""
        if is_placed:
            self._begin_place()
        split = self._last_split
        comes_again = any(name in self._measured for name in row)
        if split and comes_again:
            row = {_prefixed(split, name): value for name, value in row.items()}
        for name in row:
            meaning = meaning_of(name)
            if meaning is not None and meaning.is_split_named and meaning.field.place == "val":
                self._last_split = "test" if meaning.is_test else "val"
        self._measured |= row.keys()
        return row

    def _is_begun(self, row: dict[str, str], places: dict[str, str]) -> bool:
        """Whether a row is the first of the log: it measures, and is no setting."""
        is_placed = bool(places) or self._epoch is not None or self._step is not None
        return is_placed or _measured(row) > 0 or any(map(is_like_kl, row))

    def _read_heading(self, text: str, places: dict[str, str]) -> None:
        if len(text) > LONGEST_HEADING:
            return
        if places and _PLACE_HEADING.match(text):
            self._epoch = places.get("epoch", self._epoch)
            self._step = places.get("step") if "epoch" not in places else None
            self._split = ""
            self._begin_place()
        if found := _SPLIT_HEADING.fullmatch(text):
            self._split = _split_of(found["split"])

    def _spaced(self, text: str) -> dict[str, str]:
        """The pairs of a line that has no sign between name and number, if it has several."""
        row = {} if self._find is key_space else self._measures(text, key_space)
        return row if _measured(row) >= FEWEST_MEASURES else {}

    def _measures(self, text: str, find: Pattern) -> dict[str, str]:
        """The pairs of a line, each under the split that stands before it."""
        row: dict[str, str] = {}
        line_split = self._split
        for part in text.split("|", MOST_CELLS) if "|" in text else (text,):
            split = line_split
            has_pairs = False
            start = 0
            for found in (*_SPLIT.finditer(part), None):
                end = len(part) if found is None else found.start()
                pairs = _pairs(part[start:end], find)
                row |= {_prefixed(split, name): value for name, value in pairs.items()}
                has_pairs |= bool(pairs)
                if found is not None:
                    split, start = _split_of(found["split"]), found.end()
            if not has_pairs and split != line_split:
                line_split = split
        return row


def _pairs(text: str, find: Pattern) -> dict[str, str]:
    found = find(text) or {}
    return {name: value for name, value in found.items() if name not in ("epoch", "step")}


def _measured(row: dict[str, str]) -> int:
    """How many cells of a row are measures of a split."""
    met = [meaning_of(name) for name in row]
    return sum(m is not None and m.field.place in ("train", "val") for m in met)


def _without_progress(line: str) -> tuple[str, str | None]:
    """A line without its progress bar, and the step that the bar shows."""
    for bar in (_TQDM, _BAR, _RICH_BAR):
        if found := bar.search(line):
            return f"{line[: found.start()]} {line[found.end() :]}", found["n"]
    return line, None


def _places(text: str, line: str, progress: str | None) -> dict[str, str]:
    """Epoch and step that a line names, be it by a fraction of the steps."""
    found = list(PLACE.finditer(text))
    places = {place_name(one[1]): one[2] for one in found}
    if "step" in places:
        return places
    if not places and (both := _EPOCH_AND_STEP.match(text)):
        return {"epoch": both[1], "step": both[2]}
    if progress is not None:
        return {**places, "step": progress}
    taken = [(one.start(), one.end()) for one in found]
    for one in (_LEADING_STEP.match(line), *_STEP_OF.finditer(text)):
        if one is None or any(start <= one.end() and one.start() <= end for start, end in taken):
            continue
        number = one[1] if one[1] is not None else one[2]
        return {**places, "step": number}
    return places


def _split_of(word: str) -> str:
    small = word.lower()
    return "" if small.startswith("train") else "test" if small.startswith("test") else "val"


def _prefixed(split: str, name: str) -> str:
    meaning = meaning_of(name)
    is_named = meaning is not None and meaning.is_split_named and meaning.field.place != "run"
    return name if not split or is_named else f"{split}_{name}"
