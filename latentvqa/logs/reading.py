"""Any log to a history: recognise, read row by row, add up, name what is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from latentvqa.core.records import EpochRecord, RunHeader, StagePlan
from latentvqa.errors import HistoryError
from latentvqa.history import History, read_history
from latentvqa.logs import conventions
from latentvqa.logs.columns.mapping import Columns, taken_sentence, unused_sentence
from latentvqa.logs.columns.research_table import MEANINGS, extra_columns
from latentvqa.logs.epochs.accumulation import Accumulation
from latentvqa.logs.epochs.records import epoch_records
from latentvqa.logs.notes import Notes, listed
from latentvqa.logs.options import LogOptions
from latentvqa.logs.readers import event_files, json_rows, tables, text_patterns
from latentvqa.logs.readers.formats import Format, locate
from latentvqa.logs.readers.rows import Row
from latentvqa.logs.readers.source import head_lines, head_of

PERCENT = 100.0


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
    options = options or LogOptions()
    log, log_format = locate(Path(path))
    if options.pattern is not None and log_format not in ("own", "events"):
        log_format = "text"
    if log_format == "own":
        return _own(log, options)
    return _foreign(log, log_format, options)


def _own(log: Path, options: LogOptions) -> History:
    history = read_history(log)
    header, notes = options.told.applied_to(history.header)
    # nothing is reckoned from a convention that is assumed
    known = options.told.facts() if history.header.kl.is_assumed else set(conventions.ALL_FACTS)
    unknown = tuple(name for name in conventions.ALL_FACTS if name not in known)
    records, reckoned = conventions.with_rates(history.records, replace(header.kl, unknown=unknown))
    told = (*history.notes, *notes, *reckoned)
    return History(header, records, told, history.path)


def _foreign(log: Path, log_format: Format, options: LogOptions) -> History:
    notes = Notes()
    is_research = log_format == "research table"
    columns = Columns(options.columns, MEANINGS if is_research else None)
    rows = Accumulation(columns, notes, options.steps_per_epoch)
    rows.add_all(_rows(log, log_format, options, notes))
    columns.require_mapped()
    fields = columns.resolved(rows.columns_used)
    records = epoch_records(rows, fields, columns, notes, has_stage_numbers=is_research)
    if not records or not fields:
        raise HistoryError(_unusable(log, log_format, columns, notes))
    if is_research:
        extra = extra_columns(list(columns.seen))
        _add(notes, f"Columns not used: {listed(extra)}." if extra else None)
        kl, said = conventions.research_convention(records)
    else:
        _add(notes, taken_sentence(fields, columns), unused_sentence(columns))
        kl, said = conventions.foreign_convention(records)
    if rows.counting == "windows":
        notes.add(
            f"The log names no epochs: its steps are condensed into {len(records)} windows, "
            "shown as epochs, and epoch rules are not judged (--steps-per-epoch N tells them)."
        )
    elif options.steps_per_epoch is not None and rows.counting == "epochs":
        notes.add("The log names its epochs: --steps-per-epoch is not needed.")
    header = RunHeader(
        kl=kl,
        stages=_stages(records),
        name=log.name if log.is_dir() else f"{log.parent.name}/{log.name}".lstrip("/"),
        counts_epochs=rows.counting != "windows",
    )
    header, told = options.told.applied_to(header)
    records = _with_shares(records, notes)
    records, reckoned = conventions.with_consequences(records, header.kl)
    _add(notes, *said, *told, *reckoned, _unknown(header), conventions.lacks(records))
    return History(header, records, notes.sentences(), log)


def _rows(log: Path, log_format: Format, options: LogOptions, notes: Notes) -> Iterator[Row]:
    if log_format in ("table", "research table"):
        return tables.table_rows(log, notes, is_growing=options.is_growing)
    if log_format == "trainer state":
        return json_rows.state_rows(log, notes)
    if log_format == "JSON lines":
        return json_rows.line_rows(log, notes, is_growing=options.is_growing)
    if log_format == "JSON":
        return json_rows.document_rows(log, notes)
    if log_format == "events":
        return event_files.event_rows(log, notes)
    pattern = options.pattern or text_patterns.pattern_for(head_lines(head_of(log)))
    return text_patterns.text_rows(
        log, notes, pattern or "key-value", is_growing=options.is_growing
    )


def _unusable(log: Path, log_format: Format, columns: Columns, notes: Notes) -> str:
    """Why a log gave nothing, where, and what to do."""
    if not columns.seen:
        cause = notes.first_fault or "No line holds a measure."
        hint = "give a table, JSON lines, a TensorBoard folder or --pattern NAME"
        return f"{log} holds nothing that can be read as {log_format}. {cause} Try: {hint}"
    used = [name for name, meaning in columns.seen.items() if meaning is not None]
    if any(columns.seen[name].field.place != "position" for name in used):  # type: ignore[union-attr]
        return f"{log}: the columns {listed(used)} hold no value. {notes.first_fault}".rstrip()
    return (
        f"{log}: none of its columns is known as a measure ({listed(list(columns.seen))}): "
        "name one with --map FIELD=COLUMN, as in --map kl_raw=train/kl"
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
        f"Nobody told the KL's {', '.join(header.kl.unknown)}: rules that need them do not judge "
        "(--set kl.reduction=sum, latent.tokens=1 and so on, or --config FILE)."
    )


def _add(notes: Notes, *sentences: str | None) -> None:
    for sentence in sentences:
        if sentence:
            notes.add(sentence)
