"""Question tables that are odd or broken, one for each seed."""

from __future__ import annotations

import io
import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.outcome import Accepted, Refused

UNSEEN = "\u200b\u200c\u2060\ufeff\u00ad\u200e\u202e\u2066\u034f\x00\x1b\x07\u3164\ufe0f\U000e0041"
WORDS = (
    "what",
    "is",
    "left",
    "caf\u00e9",
    "m\u00e0u",
    "\u4ec0\u4e48",
    "\u0645\u0627",
    "1",
    "a,b",
    'a"b',
)
STAYING = (
    "None",
    "NA",
    "null",
    "01",
    "nan",
    "3.0",
    "-",
    "[sic]",
    "TRUE",
    "(a)",
    "=1+1",
    "\u2764\ufe0f",
)
SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
Rows = list[dict[str, Any]]


@dataclass
class Table:
    """A table that is being made.

    Attributes:
        suffix: of its file.
        rows: its cells by column.
        questions, answers: what must be read.
        content: its bytes once they are no more made of the rows.
    """

    suffix: str
    rows: Rows
    questions: list[str]
    answers: list[str]
    header: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


def hostile_table(seed: int, folder: Path) -> tuple[Path, Accepted | Refused]:
    """Write the table of a seed, and say what must become of it."""
    random = Random(f"table {seed}")
    table = _plain(random)
    for oddity in random.sample(ODDITIES, random.randint(0, 3)):
        oddity(random, table)
    outcome: Accepted | Refused = Accepted((table.questions, table.answers))
    if seed % 3:
        fitting = [one for one, suffixes in FAULTS if table.suffix in suffixes]
        outcome = Refused(fitting[random.randrange(len(fitting))](random, table))
    path = folder / f"table{seed}{table.suffix}"
    path.write_bytes(table.content if table.content is not None else encoded(table))
    return path, outcome


def encoded(table: Table) -> bytes:
    """The rows in the format of their suffix."""
    names = list(dict.fromkeys(name for row in table.rows for name in row))
    if table.suffix == ".jsonl":
        return "\n".join(json.dumps(row) for row in table.rows).encode("utf-8", "surrogatepass")
    if table.suffix == ".json":
        return json.dumps(table.rows).encode("utf-8", "surrogatepass")
    if table.suffix == ".parquet":
        sink = io.BytesIO()
        columns = {name: [row.get(name) for row in table.rows] for name in names}
        pq.write_table(pa.table({name: _array(cells) for name, cells in columns.items()}), sink)
        return sink.getvalue()
    delimiter = "," if table.suffix == ".csv" else "\t"
    lines = [delimiter.join(_quoted(table.header.get(name, name)) for name in names)]
    lines += [delimiter.join(_quoted(row.get(name, "")) for name in names) for row in table.rows]
    return "\r\n".join(lines).encode()


def _array(cells: list[Any]) -> pa.Array:
    try:
        return pa.array(cells)
    except (pa.ArrowException, TypeError):  # a column of several types is one of texts
        return pa.array([cell if isinstance(cell, str) else json.dumps(cell) for cell in cells])


def _quoted(cell: Any) -> str:
    text = json.dumps(cell) if isinstance(cell, list) else str(cell)
    return '"' + text.replace('"', '""') + '"'


def _plain(random: Random) -> Table:
    count = random.randint(2, 6)
    questions = [" ".join(random.choices(WORDS, k=random.randint(1, 4))) for _ in range(count)]
    answers = [random.choice(WORDS + STAYING) for _ in range(count)]
    rows = [
        {"image": f"{place % 3}.png", "question": question, "answer": answer}
        for place, (question, answer) in enumerate(zip(questions, answers, strict=True))
    ]
    return Table(random.choice(SUFFIXES), rows, questions, answers)


# what must be read as if it were not there


def unseen_characters(random: Random, table: Table) -> None:
    for name in ("question", "answer"):
        row = random.choice(table.rows)
        text = row.get(name)
        if isinstance(text, str) and text.isascii():
            at = random.randint(0, len(text))
            row[name] = text[:at] + random.choice(UNSEEN) * 2 + text[at:]


def white_space(random: Random, table: Table) -> None:
    for row in table.rows:
        row["question"] = random.choice((" ", "\n", "\u3000", "\r\n")) + row["question"] + "\u00a0"


def decomposed(random: Random, table: Table) -> None:
    for row in table.rows:
        row["question"] = unicodedata.normalize("NFD", row["question"])


def numbers(random: Random, table: Table) -> None:
    if table.suffix in (".jsonl", ".json", ".parquet"):
        for place, row in enumerate(table.rows):
            row["answer"] = random.choice((3.0, 0.25, -1.0, 1e15))
            table.answers[place] = {3.0: "3", 0.25: "0.25", -1.0: "-1"}.get(
                row["answer"], "1000000000000000"
            )


def unused_columns(random: Random, table: Table) -> None:
    for row in table.rows:
        row["extra"] = random.choice((math.nan, "x" * 10_000, "['a', 'b']", ""))
        if table.suffix in (".jsonl", ".json"):
            row["nested"] = random.choice(([["\ud83d"]], {"a": {"b": math.inf}}, None))


def blank_headers(random: Random, table: Table) -> None:
    if table.suffix in (".csv", ".tsv"):
        for place, row in enumerate(table.rows):
            row |= {"u1": place, "u2": ""}
        table.header |= {"u1": "", "u2": "\u200b"}


def marked_header(random: Random, table: Table) -> None:
    if table.suffix in (".csv", ".tsv"):
        table.header["image"] = "\ufeff" * random.randint(1, 3) + "image"


def enormous_cell(random: Random, table: Table) -> None:
    place = random.randrange(len(table.rows))
    long = "long " * 20_000 + "?"
    table.rows[place]["question"] = table.questions[place] = long


def in_lists(random: Random, table: Table) -> None:
    if all(isinstance(row["answer"], str) for row in table.rows):
        for row in table.rows:
            row["answers"] = [row.pop("answer")] * random.randint(1, 3)


ODDITIES: list[Callable[[Random, Table], None]] = [
    unseen_characters,
    white_space,
    decomposed,
    numbers,
    unused_columns,
    blank_headers,
    marked_header,
    enormous_cell,
    in_lists,
]


# what must be refused: each returns the words that the error must hold


def _place(random: Random, table: Table) -> tuple[dict[str, Any], str]:
    place = random.randrange(len(table.rows))
    return table.rows[place], f"row {place + (1 if table.suffix in ('.jsonl', '.json') else 2)}"


def blank_cell(random: Random, table: Table) -> tuple[str, ...]:
    row, where = _place(random, table)
    name = random.choice(("image", "question"))
    row[name] = random.choice(("", " ", "\u00a0")) if name == "image" else random.choice(UNSEEN)
    return where, f"column '{name}'", "blank"


def missing_cell(random: Random, table: Table) -> tuple[str, ...]:
    row, where = _place(random, table)
    row["question"] = None
    return where, "column 'question'", "blank"


def not_finite(random: Random, table: Table) -> tuple[str, ...]:
    for row in table.rows:
        row.pop("answers", None)
        row["answer"] = 1.5
    row, where = _place(random, table)
    row["answer"] = random.choice((math.nan, math.inf, -math.inf))
    return where, "column 'answer'"


def python_list(random: Random, table: Table) -> tuple[str, ...]:
    for row in table.rows:
        row.pop("answers", None)
        row["answer"] = "yes"
    row, where = _place(random, table)
    row["answer"] = random.choice(("['yes', 'yeah']", '["yes" "no"]', "('a', 'b')", "array(['a'])"))
    return where, "column 'answer'", "in the column answers: ["


def nested(random: Random, table: Table) -> tuple[str, ...]:
    row, where = _place(random, table)
    row["question"] = random.choice((["a"], {"a": 1}, [[]]))
    return where, "column 'question'", "not one text"


def half_character(random: Random, table: Table) -> tuple[str, ...]:
    row, where = _place(random, table)
    row["question"] = "half \ud83d"
    return where, "column 'question'"


def no_column(random: Random, table: Table) -> tuple[str, ...]:
    name = random.choice(("image", "question"))
    for row in table.rows:
        row["img\x1b[31m"] = row.pop(name)
    return (f"no column '{name}'", "columns = {", "--column")


def twice(random: Random, table: Table) -> tuple[str, ...]:
    for row in table.rows:
        row["ques\u200btion"] = "again"
    return "'question'", "twice"


def torn_row(random: Random, table: Table) -> tuple[str, ...]:
    delimiter = b"," if table.suffix == ".csv" else b"\t"
    table.content = encoded(table) + b"\r\n" + delimiter.join([b"x"] * 40)
    return f"row {len(table.rows) + 2}", "40 cells"


def torn_quote(random: Random, table: Table) -> tuple[str, ...]:
    table.content = encoded(table) + b'\r\n"torn'
    return f"row {len(table.rows) + 2}", "column 1", "double quote is not closed"


def other_separator(random: Random, table: Table) -> tuple[str, ...]:
    mark, word = random.choice(((b";", "semicolons"), (b"|", "bars")))
    table.content = mark.join((b"image", b"question", b"answer")) + b"\n1,2;3|4\n"
    return "row 1", f"separated by {word}", "save the table"


def other_encoding(random: Random, table: Table) -> tuple[str, ...]:
    if random.random() < 0.5:
        table.content = encoded(table).decode("utf-8", "surrogatepass").encode("utf-16", "replace")
        return ("UTF-16",)
    table.content = encoded(table) + b"\n\xff\xfe"
    return "0xff", "UTF-8"


def torn_json(random: Random, table: Table) -> tuple[str, ...]:
    torn = random.choice(("{", "[1]", '{"a": 1, "a": 2}', '{"a":' * 5000, "null", '{"a": 1} x'))
    table.content = encoded(table) + f"\n{torn}\n".encode()
    return (f"row {len(table.rows) + 1}",)


def empty(random: Random, table: Table) -> tuple[str, ...]:
    table.content = b""
    return ({".parquet": "Parquet", ".json": "a JSON table is"}.get(table.suffix, "empty"),)


def torn_parquet(random: Random, table: Table) -> tuple[str, ...]:
    whole = encoded(table)
    table.content = whole[: random.randrange(len(whole))]
    return ("Parquet",)


def odd_values(random: Random, table: Table) -> tuple[str, ...]:
    count = len(table.rows)
    odd = random.choice(
        (
            pa.array([2**31 - 1] * count, pa.date32()),
            pa.array([2**62] * count, pa.timestamp("s")),
            pa.array([0] * count, pa.timestamp("us", tz="Mars/Phobos")),
            pa.array([b"\xff"] * count).view(pa.string()),
        )
    )
    sink = io.BytesIO()
    whole = {name: [row[name] for row in table.rows] for name in ("image", "question")}
    pq.write_table(pa.table({**whole, "answer": odd}), sink)
    table.content = sink.getvalue()
    return "row 2", "column 'answer'", "Save the column as text"


TEXTS, LINES, JSON, PARQUET = (".csv", ".tsv"), (".jsonl",), (".jsonl", ".json"), (".parquet",)
FAULTS: list[tuple[Callable[[Random, Table], tuple[str, ...]], tuple[str, ...]]] = [
    (blank_cell, SUFFIXES),
    (missing_cell, JSON + PARQUET),
    (not_finite, JSON + PARQUET),
    (python_list, SUFFIXES),
    (nested, JSON),
    (half_character, JSON),
    (no_column, SUFFIXES),
    (twice, SUFFIXES),
    (torn_row, TEXTS),
    (torn_quote, TEXTS),
    (other_separator, TEXTS),
    (other_encoding, TEXTS + LINES),
    (torn_json, LINES),
    (empty, SUFFIXES),
    (torn_parquet, PARQUET),
    (odd_values, PARQUET),
]
