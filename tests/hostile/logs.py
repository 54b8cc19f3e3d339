"""Logs that are odd, broken or no logs, one for each seed.

Most begin as a healthy log whose KL is known in every epoch, so that what is
still whole in them must be read as it was written.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.hostile.outcome import Accepted, Refused

EVIL = "re\x1b[31mcon\x07</script><b>&'\u202e"
NAN = ("nan", "NaN", "-nan", "+NAN", "inf", "-inf", "Infinity", "-Infinity", "1e999", "-1e999")
NO_NUMBERS = (
    *("1.#INF", "1.#QNAN", "nan(0x1)", "\u221e", "NULL", "None", "", "--", "0x1p3", "1e", "."),
    *("=1+1", "2024-05-06", "12:30", "1,5,2", "1.2.3", "\u00bd", "$3", "1 000", "3.2 nats", "[1]"),
)
OWN = Path(__file__).parents[1] / "fixtures" / "run_0_1" / "metrics.jsonl"
EPOCHS = 12
Outcome = Accepted | Refused | None
Made = tuple[bytes, Outcome]


@dataclass
class Log:
    """A healthy log that is being spoilt: lines of a format, and the KL that each holds."""

    suffix: str
    heading: list[str]
    lines: list[str]
    kls: dict[int, float]

    def content(self) -> str:
        return "\n".join([*self.heading, *self.lines]) + "\n"

    def outcome(self, without: int | None = None) -> Accepted:
        """Every KL is read, but for one epoch."""
        return Accepted({epoch: kl for epoch, kl in self.kls.items() if epoch != without})


def hostile_log(seed: int, folder: Path) -> tuple[Path, Outcome]:
    """Write the log of a seed, and say what must become of it; None where either may."""
    random = Random(f"log {seed}")
    make = KINDS[seed % len(KINDS)]
    if make in PLACES:
        return make(random, folder)
    if make in WHOLE:
        content, outcome = make(random)
        suffix = random.choice((".csv", ".log", ".jsonl", ".json", ".txt", ".tsv", ""))
    else:
        log = healthy(random)
        content, outcome = make(random, log)
        suffix = random.choice((log.suffix, ".log", "")) if log.suffix != ".csv" else ".csv"
    name = "metrics.jsonl" if make in OWN_KINDS else f"log{suffix}"
    path = folder / name
    path.write_bytes(content)
    return path, outcome


def healthy(random: Random) -> Log:
    """A log in one of four formats."""
    suffix = random.choice((".csv", ".tsv", ".jsonl", ".txt"))
    kls = {epoch: round(3.0 + 0.5 * epoch + random.random() / 4, 4) for epoch in range(EPOCHS)}
    lines = []
    for epoch, kl in kls.items():
        rest = round(90.0 - 2.5 * epoch, 4)
        row = {"epoch": epoch, "loss": round(rest + kl, 4), "recon": rest, "kl": kl, "note": "x"}
        lines.append(_line(suffix, row))
    mark = {".csv": ",", ".tsv": "\t"}.get(suffix, "")
    return Log(
        suffix, [mark.join(("epoch", "loss", "recon", "kl", "note"))] if mark else [], lines, kls
    )


def _line(suffix: str, row: dict[str, object]) -> str:
    if suffix == ".jsonl":
        return json.dumps(row)
    if suffix == ".txt":
        return " ".join(f"{name}={value}" for name, value in row.items())
    return {".csv": ",", ".tsv": "\t"}[suffix].join(map(str, row.values()))


def _with_kl(log: Log, epoch: int, text: str) -> None:
    """Replace the KL of an epoch, as it is written."""
    before, _, after = log.lines[epoch].rpartition(str(log.kls[epoch]))
    log.lines[epoch] = f"{before}{text}{after}"


# a healthy log that something has happened to


def torn_line(random: Random, log: Log) -> Made:
    at = random.randrange(1, EPOCHS - 1)
    log.lines[at] = log.lines[at][: random.randrange(1, 8)]
    return log.content().encode(), log.outcome(without=at)


def cut(random: Random, log: Log) -> tuple[bytes, None]:
    whole = log.content().encode()
    return whole[: random.randrange(len(whole))], None


def flipped(random: Random, log: Log) -> tuple[bytes, None]:
    whole = bytearray(log.content().encode())
    for _ in range(random.randint(1, 30)):
        whole[random.randrange(len(whole))] = random.randrange(256)
    return bytes(whole), None


def bytes_of_no_text(random: Random, log: Log) -> Made:
    odd = random.choice((b"\0", b"\xff\xfe", b"\xed\xa0\xbd", b"\x80" * 40, b"\x0b", b"\xc3"))
    content = log.content().encode().replace(b"x", odd)
    return content, log.outcome() if log.suffix != ".jsonl" else None


def half_characters(random: Random, log: Log) -> Made:
    log.lines = [line.replace("x", "\\ud83d") for line in log.lines]
    return log.content().encode(), log.outcome()


def huge_number(random: Random, log: Log) -> Made:
    at = random.randrange(EPOCHS)
    _with_kl(log, at, "9" * random.choice((400, 5000)))
    return log.content().encode(), log.outcome(without=at)


def long_line(random: Random, log: Log) -> Made:
    at = random.randrange(1, EPOCHS)
    log.lines.insert(at, random.choice(("9", "x", " ", '"', "{", "=", "\u2501")) * 1_500_000)
    return log.content().encode(), log.outcome()


def deep_line(random: Random, log: Log) -> Made:
    at = random.randrange(1, EPOCHS)
    log.lines.insert(at, '{"a":' * 50_000 + "1" + "}" * 50_000)
    return log.content().encode(), log.outcome()


def text_between(random: Random, log: Log) -> Made:
    said = ("Saving checkpoint", '{"saved": "a.pt"}', "[1, 2, 3]", "null", '"', "Traceback (most")
    for _ in range(5):
        log.lines.insert(random.randrange(1, len(log.lines)), random.choice(said))
    return log.content().encode(), log.outcome()


def twice_in_a_row(random: Random, log: Log) -> Made:
    """A name that stands twice: the last one counts."""
    if log.heading:
        mark = "," if log.suffix == ".csv" else "\t"
        log.heading = [f"kl{mark}{log.heading[0]}"]
        log.lines = [f"77{mark}{line}" for line in log.lines]
    elif log.suffix == ".jsonl":
        log.lines = [line.replace("{", '{"kl": 77.5, ', 1) for line in log.lines]
    return log.content().encode(), log.outcome()


def quotes(random: Random, log: Log) -> Made:
    """Quotes that close and open again, or not at all."""
    at = random.randrange(1, EPOCHS)
    log.lines.insert(at, random.choice(('"a,"b",""c', '"' * 999, '"torn', "'\"'\"'", '"a\n"b"\n"')))
    return log.content().encode(), log.outcome()


def impossible_epoch(random: Random, log: Log) -> Made:
    at = random.randrange(EPOCHS - 1)
    odd = random.choice(("-1", "1e300", "9" * 400, "nan", "inf", "2024-05-06", EVIL, "1e7"))
    old = log.lines[at]
    value = json.dumps(odd) if log.suffix == ".jsonl" else odd
    for start in (f'"epoch": {at},', f"epoch={at} ", f"{at},", f"{at}\t"):
        if old.startswith((start, "{" + start)):
            log.lines[at] = old.replace(start, start.replace(str(at), value), 1)
    # the row goes to the epoch before it, or nowhere
    epochs = {e: kl for e, kl in log.kls.items() if e not in (at - 1, at, 0)}
    return log.content().encode(), Accepted(epochs)


def not_finite(random: Random, log: Log) -> Made:
    for at in range(EPOCHS - 3, EPOCHS):
        _with_kl(log, at, random.choice(NAN))
    held = {epoch: kl for epoch, kl in log.kls.items() if epoch < EPOCHS - 3}
    is_json = log.suffix == ".jsonl"  # which knows three spellings, and numbers out of range
    return log.content().encode(), Accepted(held, None if is_json else "divergence")


def no_number(random: Random, log: Log) -> Made:
    at = random.randrange(1, EPOCHS - 1)
    text = random.choice(NO_NUMBERS)
    _with_kl(log, at, json.dumps(text) if log.suffix == ".jsonl" else text.replace("\t", ""))
    return log.content().encode(), log.outcome(without=at)


def evil_names(random: Random, log: Log) -> Made:
    name = EVIL.replace('"', "")
    log.heading = [heading.replace("note", name) for heading in log.heading]
    log.lines = [line.replace("note", json.dumps(name)[1:-1]) for line in log.lines]
    return log.content().encode(), log.outcome()


def evil_values(random: Random, log: Log) -> Made:
    names = random.sample(("split", "stage", "step", "lr"), 2)
    log.heading = [heading.replace("note", names[0]) for heading in log.heading]
    value = json.dumps(EVIL)[1:-1] if log.suffix == ".jsonl" else EVIL
    log.lines = [line.replace("note", names[0]).replace("x", value) for line in log.lines]
    return log.content().encode(), log.outcome() if log.suffix != ".txt" else None


def other_encoding(random: Random, log: Log) -> Made:
    encoding = random.choice(("utf-16", "utf-32", "utf-8-sig"))
    return log.content().encode(encoding), log.outcome()


def two_encodings(random: Random, log: Log) -> Made:
    """A second part in another encoding, as a shell appends it."""
    return log.content().encode() + "a note".encode("utf-16") + b"\xff\xfe\xfd\n", log.outcome()


def new_names_in_each_line(random: Random, log: Log) -> Made:
    if log.suffix == ".jsonl":
        for at, line in enumerate(log.lines):
            more = ", ".join(f'"k{at}_{place}": 1' for place in range(2000))
            log.lines[at] = line.replace("{", "{" + more + ", ", 1)
    return log.content().encode(), log.outcome()


def extreme_numbers(random: Random, log: Log) -> tuple[bytes, None]:
    extremes = ("1e308", "-1e308", "5e-324", "0", "-0.0", "1e-300", "1.7976931348623157e308")
    for at in range(EPOCHS):
        _with_kl(log, at, random.choice(extremes))
    return log.content().encode(), None


# content that is no log, or nothing else


def random_bytes(random: Random) -> tuple[bytes, None]:
    return random.randbytes(random.randint(0, 5000)), None


def archive(random: Random) -> Made:
    content = random.choice(
        (b"epoch,kl\n0,1\n", b"0" * 50_000_000)
    )  # a thousandth of it when packed
    pack, told = random.choice(
        (
            (lambda held: gzip.compress(held, 1), "compressed with gzip"),
            (lambda held: bz2.compress(held[:1_000_000]), "compressed with bzip2"),
            (lambda held: lzma.compress(held[:1_000_000], preset=0), "compressed with xz"),
            (_zipped, "a zip archive"),
        )
    )
    return pack(content), Refused((told, "unpack"))


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("metrics.csv", content)
    return file.getvalue()


def endless_line(random: Random) -> Made:
    return random.choice((b"x", b"1", b" =", b",", b"|", b"a ", b"[")) * 3_000_000, Refused(
        ("log",)
    )


def many_columns(random: Random) -> Made:
    names = ",".join(f"kl{place}" for place in range(1_000_000))
    return f"{names}\n{'1,' * 1_000_000}\n".encode(), Refused(("log",))


def deep_document(random: Random) -> Made:
    depth = random.choice((3_000, 100_000))
    start, end = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"{'a': [", b"]}")))
    return start * depth + b"1" + end * depth, Refused(("log",))


def blank(random: Random) -> Made:
    return random.choice((b"", b"\n" * 9, b"\xef\xbb\xbf", b"\xff\xfe", b" \t\r\n")), Refused(
        ("log",)
    )


def slow_to_match(random: Random) -> tuple[bytes, None]:
    """Lines on which a careless pattern takes for ever."""
    part = random.choice(
        (
            "epoch ",
            "a: ",
            "=",
            "((",
            "[1/",
            "1,",
            "\u2501 ",
            "kl=",
            "train ",
            "- ",
            "| ",
            "1.e",
            "'a': [",
        )
    )
    return "\n".join([(part * 5000)[: random.randint(5000, 9999)]] * 60).encode(), None


def odd_document(random: Random) -> tuple[bytes, None]:
    odd = (None, "x", [], {}, True, [[]], [{"epoch": None, "kl": {}}], [1, "2", None], -1, EVIL)
    names = ("log_history", "history", "loss", "kl", "epoch", "val_kl")
    held = {name: random.choice(odd) for name in random.sample(names, 4)}
    return json.dumps(random.choice((held, [held] * 9))).encode(), None


# our own logs


def own_flipped(random: Random) -> tuple[bytes, None]:
    whole = bytearray(OWN.read_bytes())
    for _ in range(random.randint(1, 10)):
        whole[random.randrange(len(whole))] = random.choice(b'{}[]",:0123456789eE-+tn\0\xff\n ')
    return bytes(whole), None


def own_with_odd_values(random: Random) -> tuple[bytes, None]:
    odd = (None, "x", [], {}, True, float("nan"), float("inf"), -1, 10**400, 1e308, EVIL)

    def changed(value: object) -> object:
        if isinstance(value, dict):
            return {key: changed(held) for key, held in value.items() if random.random() > 0.03}
        return random.choice(odd) if random.random() < 0.05 else value

    lines = [json.dumps(changed(json.loads(line))) for line in OWN.read_text("utf-8").splitlines()]
    return "\n".join(lines).encode(), None


# what is no file, or has a name that nobody wants to see


def no_file(random: Random, folder: Path) -> tuple[Path, Refused]:
    path = folder / "log.csv"
    kind = random.randrange(6)
    if kind == 0:
        os.mkfifo(path)
        return path, Refused((str(path), "a pipe that brings nothing"))
    if kind == 1:
        path.symlink_to(random.choice(("/dev/zero", "/dev/null", "/dev/full")))
        return path, Refused((str(path), "a device"))
    if kind == 2:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(path))
        return path, Refused((str(path), "a socket"))
    if kind == 3:
        path.symlink_to(path)
        return path, Refused((str(path),))
    if kind == 4:
        (path / "metrics.jsonl").mkdir(parents=True)
    else:
        path.mkdir()
        os.mkfifo(path / "metrics.jsonl")
    return path, Refused((str(path),))


def evil_file_name(random: Random, folder: Path) -> tuple[Path, Outcome]:
    log = healthy(random)
    path = folder / (
        "re\x1b[31m\x07<script>&'\u202e" + random.choice(("", "\n", "\t")) + log.suffix
    )
    content = random.choice((log.content(), "nothing"))
    path.write_text(content)
    return path, None if content == "nothing" else log.outcome()


def event_file(random: Random, folder: Path) -> tuple[Path, None]:
    from tests.logs.readers.test_event_files import STEPS, write_events

    path = write_events(folder, STEPS, is_version_2=random.random() < 0.5)
    whole = bytearray(path.read_bytes())
    for _ in range(random.randint(0, 5)):
        whole[random.randrange(24, len(whole))] = random.randrange(256)
    path.write_bytes(whole[: random.randint(24, len(whole))])
    return random.choice((path, folder)), None


PLACES = (no_file, evil_file_name, event_file)
OWN_KINDS = (own_flipped, own_with_odd_values)
WHOLE = (
    *(random_bytes, archive, endless_line, many_columns, deep_document, blank, slow_to_match),
    *(odd_document, *OWN_KINDS),
)
KINDS: list[Callable[..., tuple[bytes | Path, Outcome]]] = [
    *(torn_line, cut, flipped, bytes_of_no_text, half_characters, huge_number, long_line),
    *(deep_line, text_between, twice_in_a_row, quotes, impossible_epoch, not_finite, no_number),
    *(evil_names, evil_values, other_encoding, two_encodings, new_names_in_each_line),
    *(extreme_numbers, *WHOLE, *PLACES),
]
