"""What the user tells about a run: ``--set`` over ``--config`` over the log itself.

Knows the sections of a run's TOML that a diagnosis needs; the others, and the
data they name, are not looked at.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from latentvqa.config.toml_files import read_toml
from latentvqa.core.quoting import cut, shortened
from latentvqa.core.records import RunHeader
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.core.toml_text import toml_value
from latentvqa.errors import ConfigError
from latentvqa.logs.columns.fields import nearest

# dotted key of a run's TOML -> where it stands in the header; kl. is its convention
KEYS = {
    "kl.reduction": "kl.reduction",
    "kl.free_bits": "kl.free_bits",
    "kl.factor": "kl.factor",
    "kl.max_weight": "kl.max_weight",
    "kl.warmup_epochs": "warmup_epochs",
    "latent.tokens": "kl.tokens",
    "latent.dims": "kl.dims",
    "latent.bottleneck": "kl.bottleneck",
    "latent.temperature": "temperature",
    "latent.validation_temperature": "validation_temperature",
    "teacher.weight": "teacher_weight",
}
FACTS = frozenset({"reduction", "tokens", "dims", "free_bits", "factor", "max_weight"})
THRESHOLD_PREFIX = "kl_health."
SECTIONS = ("kl", "latent", "teacher", "kl_health")
AUTO = "auto"  # stands where the data decided: nothing is stated
_DECIDED = "is decided by the data: give a number"


@dataclass(frozen=True)
class StatedValues:
    """Values by dotted key, from each source.

    Attributes:
        on_command_line: from ``--set``.
        in_config: from ``--config``.
        thresholds: the ``[kl_health]`` of ``--config``.
        config: that file.
        left_open: keys that it leaves to the data.
    """

    on_command_line: Mapping[str, Any] = field(default_factory=dict)
    in_config: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    config: Path | None = None
    left_open: tuple[str, ...] = ()

    def applied_to(self, header: RunHeader) -> tuple[RunHeader, list[str]]:
        """The header with these values in the place of its own.

        Returns:
            The header and a note per source.
        """
        notes = []
        kl: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        lower = {k: v for k, v in self.in_config.items() if k not in self.on_command_line}
        for source, values in ((str(self.config), lower), ("--set", self.on_command_line)):
            if values:
                facts = ", ".join(f"{key} = {value}" for key, value in values.items())
                notes.append(f"From {source}, over what the log says: {facts}.")
            for key, value in values.items():
                place, _, name = KEYS[key].rpartition(".")
                (kl if place else rest)[name] = value
        left_open = [key for key in self.left_open if key not in self.on_command_line]
        if left_open:
            notes.append(
                f"{self.config} leaves to the data, and so does not tell: {', '.join(left_open)} "
                f"(--set {left_open[0]}=NUMBER does)."
            )
        unknown = tuple(name for name in header.kl.unknown if name not in kl)
        is_assumed = header.kl.is_assumed and not kl.keys() >= FACTS
        convention = replace(header.kl, **kl, unknown=unknown, is_assumed=is_assumed)
        thresholds = {**header.thresholds, **self.thresholds}
        return replace(header, kl=convention, thresholds=thresholds, **rest), notes

    def facts(self) -> frozenset[str]:
        """What is stated of the KL convention."""
        keys = {*self.in_config, *self.on_command_line}
        return frozenset(KEYS[key].removeprefix("kl.") for key in keys) & FACTS


def stated_values(config: Path | None, overrides: Sequence[str]) -> tuple[StatedValues, list[str]]:
    """Read what the user tells.

    Args:
        config: a run's TOML.
        overrides: ``key=value``; values are TOML, else strings.

    Returns:
        The values, and the overrides of thresholds, which are not read here.

    Raises:
        ConfigError: with every fault at once.
    """
    faults: list[str] = []
    thresholds = [text for text in overrides if text.strip().startswith(THRESHOLD_PREFIX)]
    stated: dict[str, Any] = {}
    for text in overrides:
        if text in thresholds:
            continue
        key, equals, raw = (part.strip() for part in text.partition("="))
        if not equals:
            faults.append(f"--set {cut(text, 80)}: expected KEY=VALUE, as in kl.reduction=sum")
        elif key not in KEYS:
            near = nearest(key, [*KEYS, *_threshold_keys()])
            faults.append(f"--set {cut(text, 80)}: unknown key; the nearest is {near[0]}")
        else:
            stated[key], fault = _checked(key, toml_value(raw))
            faults += [] if fault is None else [f"--set {key} = {shortened(stated[key])}: {fault}"]
    known = StatedValues() if config is None else _from_config(config, faults)
    if faults:
        raise ConfigError("\n".join(faults))
    return replace(known, on_command_line=stated), thresholds


def _from_config(path: Path, faults: list[str]) -> StatedValues:
    tables = _tables(path, faults)
    strays = _strays(tables)
    faults += [f"{path}: {fault}" for fault in strays.values()]
    stated: dict[str, Any] = {}
    left_open: list[str] = []
    for key in KEYS:
        section, name = key.split(".")
        table = tables.get(section)
        if not isinstance(table, dict) or name not in table:
            continue
        value, fault = _checked(key, table[name])
        if value == AUTO and fault is _DECIDED:
            left_open.append(key)
        else:
            stated[key] = value
            faults += [] if fault is None else [f"{path}: {key} = {shortened(value)}: {fault}"]
    limits = tables.get("kl_health")
    limits = limits if isinstance(limits, dict) else {}
    try:
        KLHealthThresholds.model_validate(limits)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            where = ".".join(("kl_health", *map(str, one["loc"])))
            faults += [] if where in strays else [f"{path}: {where}: {one['msg']}"]
    return StatedValues({}, stated, limits, path, tuple(left_open))


def _strays(tables: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with keys that no section has, by key; other sections are not looked at."""
    strays: dict[str, str] = {}
    for name, table in tables.items():
        if name in SECTIONS and isinstance(table, dict):
            known = [f"{name}.{key}" for key in _keys_of(name)]
            for key in (f"{name}.{key}" for key in table):
                if key not in known:
                    strays[key] = (
                        f"unknown key {cut(key)!a}; the nearest is {nearest(key, known)[0]}"
                    )
        elif name in SECTIONS:
            strays[name] = f"{name} must be a section of keys: [{name}]"
        elif not isinstance(table, dict):
            near = _nearest_key(cut(name))
            strays[name] = f"{cut(name)!a} stands in no section; the nearest is {near}"
        elif (
            close := difflib.get_close_matches(cut(name).lower(), SECTIONS, n=1, cutoff=0.75)
        ) and not _is_section(name):
            strays[name] = f"unknown section {cut(name)!a}; the nearest is {close[0]}"
    return strays


def _nearest_key(name: str) -> str:
    """The dotted key of any section whose own name is most like another one."""
    known = {key: f"{section}.{key}" for section in SECTIONS[::-1] for key in _keys_of(section)}
    return known[nearest(name, list(known))[0]]


def _keys_of(section: str) -> list[str]:
    fields = KLHealthThresholds if section == "kl_health" else _section(section)
    return list(fields.model_fields)


def _tables(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        return read_toml(path, "--config")
    except ConfigError as error:
        faults.append(str(error))
    return {}


def _checked(key: str, value: Any) -> tuple[Any, str | None]:
    """A value as the run's own section takes it, and what is wrong with it."""
    section, name = key.split(".")
    try:
        held = getattr(_section(section).model_validate({name: value}), name)
    except ValidationError as error:
        return value, error.errors(include_url=False)[0]["msg"]
    return held, _DECIDED if held == AUTO else None


def _section(name: str) -> type[BaseModel]:
    from latentvqa.config.sections import KL, Latent, Teacher  # building the models takes time

    sections: dict[str, type[BaseModel]] = {"kl": KL, "latent": Latent, "teacher": Teacher}
    return sections[name]


def _is_section(name: str) -> bool:
    """Whether a run's TOML has such a section."""
    from latentvqa.config.sections import Config

    return name in Config.model_fields


def _threshold_keys() -> list[str]:
    return [f"{THRESHOLD_PREFIX}{name}" for name in KLHealthThresholds.model_fields]
