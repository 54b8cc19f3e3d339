"""What the user says about a log, checked before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latentvqa.errors import ConfigError
from latentvqa.logs.columns.fields import FIELDS, METRICS, POSITIONS, WEIGHTS, nearest
from latentvqa.logs.numbers import LARGEST_POSITION
from latentvqa.logs.readers.text_patterns import PATTERNS
from latentvqa.logs.stated_values import StatedValues, stated_values


@dataclass(frozen=True)
class LogOptions:
    """How to read a log, and what is known about its run.

    Attributes:
        columns: names of :data:`FIELDS` to column names.
        steps_per_epoch: optimizer steps in an epoch.
        pattern: name of the pattern of a plain-text log.
        stated: values that win over those of the log.
        is_growing: whether the log is still being written, so that a last line
            without its end is not there yet.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    steps_per_epoch: int | None = None
    pattern: str | None = None
    stated: StatedValues = field(default_factory=StatedValues)
    is_growing: bool = False


def log_options(
    *,
    maps: Sequence[str] = (),
    steps_per_epoch: int | None = None,
    pattern: str | None = None,
    config: Path | None = None,
    overrides: Sequence[str] = (),
) -> tuple[LogOptions, list[str]]:
    """Options from the command line.

    Args:
        maps: ``FIELD=COLUMN``.
        steps_per_epoch: at least 1.
        pattern: name of a pattern.
        config: TOML of the run.
        overrides: ``--set``.

    Returns:
        The options, and the overrides of thresholds, which are left to the caller.

    Raises:
        ConfigError: with every fault at once.
    """
    faults: list[str] = []
    columns = _columns(maps, faults)
    if steps_per_epoch is not None and not 1 <= steps_per_epoch <= LARGEST_POSITION:
        faults.append(f"--steps-per-epoch {steps_per_epoch}: expected a number of 1 or more")
    if pattern is not None and pattern not in PATTERNS:
        known = ", ".join(PATTERNS)
        near = nearest(pattern, list(PATTERNS))
        faults.append(f"--pattern {pattern}: the nearest is {near[0]}; there are: {known}")
    stated, thresholds = StatedValues(), list(overrides)
    try:
        stated, thresholds = stated_values(config, overrides)
    except ConfigError as error:
        faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return LogOptions(columns, steps_per_epoch, pattern, stated), thresholds


def _columns(maps: Sequence[str], faults: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    fields: dict[str, str] = {}
    for text in maps:
        name, equals, column = (part.strip() for part in text.partition("="))
        if not equals or not column:
            faults.append(f"--map {text}: expected FIELD=COLUMN, as in kl_raw=train/kl")
        elif name not in FIELDS:
            known = [*POSITIONS, *METRICS, *WEIGHTS]
            known += [f"{split}_{metric}" for split in ("train", "val") for metric in METRICS]
            near = nearest(name, known)[0]
            faults.append(f"--map {text}: unknown field {name}; the nearest is {near}")
        elif column in fields and FIELDS[fields[column]] != FIELDS[name]:
            faults.append(f"--map {text}: the column already stands for {fields[column]}")
        else:
            columns[name] = column
            fields[column] = name
    return columns
