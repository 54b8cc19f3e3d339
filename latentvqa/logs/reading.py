"""Any log to a history: recognise, read row by row, add up, name what is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from latentvqa.core.figures import counted
from latentvqa.core.kl_precision import holds_kl
from latentvqa.core.records import EpochRecord, RunHeader, StagePlan
from latentvqa.errors import HistoryError
from latentvqa.history import History, log_path, read_history
from latentvqa.logs import conventions
from latentvqa.logs.columns.company import Company, company_of
from latentvqa.logs.columns.mapping import Columns, taken_sentence, unused_sentence
from latentvqa.logs.columns.research_table import MEANINGS, extra_columns
from latentvqa.logs.epochs.accumulation import Accumulation
from latentvqa.logs.epochs.records import epoch_records
from latentvqa.logs.foreign import explained
from latentvqa.logs.notes import Notes, listed
from latentvqa.logs.options import LogOptions
from latentvqa.logs.readers import (
    event_files,
    json_rows,
    printed_tables,
    tables,
    text_patterns,
    text_rows,
)
from latentvqa.logs.readers.formats import Format, locate
from latentvqa.logs.readers.long_rows import widened
from latentvqa.logs.readers.pipes import as_file
from latentvqa.logs.readers.rows import Row
from latentvqa.logs.readers.source import failures_named, head_lines, head_of
from latentvqa.logs.readers.torn_end import without_torn_end

PERCENT = 100.0
_SUMMARY = "train_runtime"  # of Hugging Face's last row, which sums up the run
_NO_KL = "No column of the log is known as the KL of a posterior."


def read_log(path: Path | str, options: LogOptions | None = None) -> History:
    """Read a log of LatentVQA or of another tool.

    Args:
        path: a run folder, a log file, or a folder that another tool logged to.
        options: how to read it, and what the user tells about the run.

    Returns:
        The header as far as it is known, the epochs, and what was assumed.

    Raises:
        HistoryError: if there is no log or nothing in it is usable.
        ConfigError: if an option names a column that the log does not have.
    """
    path = Path(path)
    with failures_named(path):
        own = log_path(path)
        path = own if own.exists() else path
    with as_file(path) as file:
        history = _read(file, options or LogOptions())
    if file == path:
        return history
    return replace(history, path=path, header=replace(history.header, name=path.name))


def _read(path: Path, options: LogOptions) -> History:
    log, log_format = locate(path)
    if options.pattern is not None and log_format not in ("own", "events"):
        log_format = "text"
    if log_format == "own":
        return _own(log, options)
    return _foreign(log, log_format, options)


def _own(log: Path, options: LogOptions) -> History:
    history = read_history(log)
    header, notes = options.stated.applied_to(history.header)
    # nothing is reckoned from a convention that is assumed
    known = options.stated.facts() if history.header.kl.is_assumed else set(conventions.ALL_FACTS)
    unknown = tuple(name for name in conventions.ALL_FACTS if name not in known)
    records, reckoned = conventions.with_rates(history.records, replace(header.kl, unknown=unknown))
    all_notes = (*history.notes, *notes, *reckoned)
    return History(header, records, all_notes, history.path)


def _foreign(log: Path, log_format: Format, options: LogOptions) -> History:
    notes = Notes()
    is_research = log_format == "research table"
    columns = Columns(options.columns, MEANINGS if is_research else None)
    rows = Accumulation(columns, notes, options.steps_per_epoch)
    rows.add_all(widened(_whole_rows(log, log_format, options, notes)))
    columns.require_mapped()
    if rows.run_column is not None:
        raise HistoryError(_sweep(log, rows.run_column))
    if len(runs := columns.runs()) > 1:
        raise HistoryError(
            f"{log}: its columns are of several runs ({listed(runs)}): give the log of one"
        )
    company = None if is_research else company_of(columns.seen)
    fields = columns.resolved(rows.columns_used, company)
    measured = {key: held for key, held in fields.items() if held.place != "other"}
    records = epoch_records(rows, measured, columns, notes, has_stage_numbers=is_research)
    candidates = () if is_research else columns.kl_candidates(key[0] for key in measured)
    if not records or not measured:
        if not rows.has_numbers or any(held.place != "position" for held in measured.values()):
            raise HistoryError(_unusable(log, log_format, columns, notes))
        records, fields = (), {}
    header = RunHeader(
        name=log.name if log.is_dir() else f"{log.parent.name}/{log.name}".lstrip("/"),
        counts_epochs=rows.counting != "windows",
        stages=_stages(records),
        unjudged=_unjudged(company) or ("" if any(map(holds_kl, records)) else _NO_KL),
        kl_candidates=candidates,
    )
    resolution = 0.0
    if is_research:
        extra = extra_columns(list(columns.seen))
        _add(notes, f"Columns not used: {listed(extra)}." if extra else None)
        kl, said = conventions.research_convention(records)
    else:
        _add(notes, taken_sentence(measured, columns), unused_sentence(columns))
        foreign = explained(records, rows, fields, columns)
        records, resolution = foreign.records, foreign.kl_resolution
        _add(notes, *foreign.notes)
        kl, said = conventions.foreign_convention(records)
    _add(notes, None if header.unjudged else _windows_note(rows, len(records), options))
    header, over_log = options.stated.applied_to(replace(header, kl=kl, kl_resolution=resolution))
    records = _with_shares(records, notes)
    records, reckoned = conventions.with_consequences(records, header.kl)
    _add(notes, *said, *over_log, *reckoned)
    if records and not header.unjudged:
        _add(notes, _unknown(header), conventions.lacks(records))
    return History(header, records, notes.sentences(), log)


def _windows_note(rows: Accumulation, windows: int, options: LogOptions) -> str | None:
    if not windows:
        return None
    if rows.has_few_epochs:
        return (
            f"So few epochs hide the course of a run: the steps are condensed into "
            f"{counted(windows, 'window')}, shown as epochs, and epoch rules are not judged."
        )
    if rows.counting == "windows":
        return (
            f"The log names no epochs: its steps are condensed into {counted(windows, 'window')}, "
            "shown as epochs, and epoch rules are not judged (--steps-per-epoch N tells them)."
        )
    if options.steps_per_epoch is not None and rows.counting == "epochs":
        return "The log names its epochs: --steps-per-epoch is not needed."
    return None


def _unjudged(company: Company | None) -> str:
    """Why the KL of a log with this company is none of a posterior."""
    if company is None:
        return ""
    shown = listed([ascii(name)[1:-1] for name in company.shown_by])
    compared = {
        "policy training": "the policy with a reference or with itself before a step",
        "distillation": "a student with its teacher",
    }[company.training]
    return (
        f"This is the log of {company.training} ({shown}): a KL in it compares {compared} and "
        "is none of a posterior."
    )


def _sweep(log: Path, column: str) -> str:
    return (
        f"{log}: its rows are runs, not epochs or steps: {column} names another run in each. "
        "Give the log of one run, with an epoch or a step in every row (--map epoch=COLUMN)"
    )


def _whole_rows(log: Path, log_format: Format, options: LogOptions, notes: Notes) -> Iterator[Row]:
    """The rows, without one that sums up the run or that a cut file ends with."""
    rows = (row for row in _rows(log, log_format, options, notes) if _SUMMARY not in row)
    is_text = log_format in ("table", "research table", "printed table", "text")
    return without_torn_end(rows, log, notes) if is_text else rows


def _rows(log: Path, log_format: Format, options: LogOptions, notes: Notes) -> Iterator[Row]:
    is_growing = options.is_growing
    rows: Iterator[Row]
    if log_format in ("table", "research table"):
        rows = tables.table_rows(log, notes, is_growing=is_growing)
    elif log_format == "trainer state":
        rows = json_rows.state_rows(log, notes)
    elif log_format == "JSON lines":
        rows = json_rows.line_rows(log, notes, is_growing=is_growing)
    elif log_format == "JSON":
        rows = json_rows.document_rows(log, notes)
    elif log_format == "events":
        rows = event_files.event_rows(log, notes)
    else:
        rows = _text_rows(log, log_format, options, notes)
    return rows


def _text_rows(log: Path, log_format: Format, options: LogOptions, notes: Notes) -> Iterator[Row]:
    lines = head_lines(head_of(log))
    table = printed_tables.printed_table(lines) if log_format == "printed table" else None
    if table is not None:
        return printed_tables.printed_rows(log, notes, table, is_growing=options.is_growing)
    pattern = options.pattern or text_patterns.pattern_for(lines)[0] or "key-value"
    pattern = "boxes" if log_format == "boxes" and options.pattern is None else pattern
    return text_rows.text_rows(log, notes, pattern, is_growing=options.is_growing)


def _unusable(log: Path, log_format: Format, columns: Columns, notes: Notes) -> str:
    """Why a log gave nothing, where, and what to do."""
    measures = [n for n, m in columns.seen.items() if m is None or m.field.place != "position"]
    if not measures:
        cause = notes.first_fault or "No line holds a measure."
        hint = "give a table, JSON lines, a TensorBoard folder or --pattern NAME"
        return f"{log} holds nothing that can be read as {log_format}. {cause} Try: {hint}"
    places = {name: held.field.place for name, held in columns.seen.items() if held is not None}
    used = [name for name, place in places.items() if place not in ("position", "other")]
    if used:
        return f"{log}: the columns {listed(used)} hold no value. {notes.first_fault}".rstrip()
    return f"{log}: {_unknown_columns(columns)}"


def _unknown_columns(columns: Columns) -> str:
    named = listed(list(columns.seen))
    return (
        f"none of its columns is known as a measure ({named}): name one with --map FIELD=COLUMN, "
        "as in --map kl_raw=train/kl"
    )


def _stages(records: tuple[EpochRecord, ...]) -> StagePlan:
    """Epochs of each stage as they were run; nobody tells what was planned."""
    ran = [record.stage for record in records]
    return StagePlan(ran.count("baseline"), ran.count("warmup"), ran.count("full"))


def _with_shares(records: tuple[EpochRecord, ...], notes: Notes) -> tuple[EpochRecord, ...]:
    """Exact match as a share where the log holds percent."""
    splits = [split for record in records for split in (record.train, record.val)]
    known = [split.exact_match for split in splits if split.exact_match is not None]
    if not any(1.0 < value <= PERCENT for value in known) or any(v > PERCENT for v in known):
        return records
    notes.add("Exact match exceeds 1: it is read as percent.")

    def share(record: EpochRecord, split: str) -> EpochRecord:
        metrics = getattr(record, split)
        held = metrics.exact_match
        value = None if held is None else held / PERCENT
        return replace(record, **{split: replace(metrics, exact_match=value)})

    return tuple(share(share(record, "train"), "val") for record in records)


def _unknown(header: RunHeader) -> str | None:
    if not header.kl.unknown:
        return None
    return (
        f"Not known: the KL's {', '.join(header.kl.unknown)}: rules that need them do not judge "
        "(--set kl.reduction=sum, latent.tokens=1 and so on, or --config FILE)."
    )


def _add(notes: Notes, *sentences: str | None) -> None:
    for sentence in sentences:
        if sentence:
            notes.add(sentence)
