"""Defaults < preset < file < ``--set``, merged and checked; all faults in one error."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from latentvqa.config.faults import MOST_FAULTS, fault_texts, nearest_hint
from latentvqa.config.sections import Config, conflicts
from latentvqa.config.toml_files import read_toml
from latentvqa.core.quoting import cut
from latentvqa.core.toml_text import toml_value
from latentvqa.errors import ConfigError

PATH_KEYS = (
    "data.train",
    "data.val",
    "data.images",
    "data.val_images",
    "vision.pretrained",
    "text.encoder",
    "text.decoder",
    "loader.feature_folder",
    "run.init_from",
)
HUB_PREFIX = "hf-hub:"  # of a name that is no path


@dataclass(frozen=True)
class Layer:
    """Keys from one place, by section.

    Attributes:
        values: tables of keys; paths are absolute.
        source: what messages call the place.
    """

    values: Mapping[str, Any]
    source: str


def preset_names() -> list[str]:
    """Names of the presets that ship with the package."""
    folder = resources.files("latentvqa") / "presets"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load_config(
    path: Path | str | None = None,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    beneath: Mapping[str, Any] | None = None,
) -> Config:
    """Merge defaults, a preset, a TOML file and ``key=value`` overrides.

    Args:
        path: TOML file; paths in it are relative to its folder.
        preset: name of a shipped preset.
        overrides: ``section.key=value``; values are TOML, else strings; paths in
            them are relative to the working directory.
        beneath: tables of keys that all others replace; paths are absolute.

    Raises:
        ConfigError: with every fault: file, key, value, bound and, for an
            unknown key, the nearest known one.
    """
    layers = [] if beneath is None else [Layer(beneath, "the command")]
    if preset is not None:
        layers.append(preset_layer(preset))
    if path is not None:
        layers.append(file_layer(Path(path)))
    added, unreadable = override_layers(overrides)
    config, faults = checked_config([*layers, *added])
    if config is None or unreadable:
        raise config_error([*unreadable, *faults])
    return config


def preset_layer(name: str, said: str = "--preset ") -> Layer:
    """The keys of a shipped preset.

    Args:
        name: the preset.
        said: what stands before its name where the user named it.

    Raises:
        ConfigError: if there is none of that name.
    """
    if name not in preset_names():
        raise ConfigError(
            f"{said}{name}: no such preset.{nearest_hint(name, preset_names())} "
            f"There are: {', '.join(preset_names())}."
        )
    text = (resources.files("latentvqa") / "presets" / f"{name}.toml").read_text("utf-8")
    return Layer(tomllib.loads(text), f"preset {name}")


def file_layer(path: Path) -> Layer:
    """The keys of a TOML file; paths in it are relative to its folder.

    Raises:
        ConfigError: if it cannot be read.
    """
    return Layer(with_absolute_paths(read_toml(path, "--config"), path.parent), str(path))


def override_layers(overrides: Sequence[str]) -> tuple[list[Layer], list[str]]:
    """``key=value`` texts as layers, and those that cannot be read as faults."""
    if isinstance(overrides, str | Mapping):
        raise ConfigError(f"overrides = {overrides!r}: give a list, as ['kl.free_bits=0.05']")
    layers, faults = [], []
    for override in overrides:
        try:
            values = _parse_override(override)
        except ConfigError as error:
            faults.append(str(error))
        else:
            layers.append(Layer(with_absolute_paths(values, Path()), "--set"))
    return layers, faults


def checked_config(layers: Sequence[Layer]) -> tuple[Config | None, list[str]]:
    """Merge layers, later ones win, and check the outcome.

    Returns:
        The configuration, None where there are faults; and these, each with the
        layer that it comes from.
    """
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for layer in layers:
        _merge(merged, layer.values, sources, layer.source)
    return _validate(merged, sources)


def config_error(faults: Sequence[str]) -> ConfigError:
    """All faults as one error; of hundreds the first ones."""
    count = f"{len(faults)} faults in the configuration" if len(faults) > 1 else "configuration"
    lines = list(faults[:MOST_FAULTS])
    if more := len(faults) - len(lines):
        lines.append(f"and {more} more")
    return ConfigError(f"{count}:\n" + "\n".join(f"  {line}" for line in lines))


def with_absolute_paths(values: dict[str, Any], base: Path) -> dict[str, Any]:
    """Resolve path keys against ``base``; a backbone may be named by a path too."""
    for key in PATH_KEYS:
        section, name = key.split(".")
        known = values.get(section)
        if isinstance(known, dict) and isinstance(known.get(name), str):
            if "\0" in known[name] or known[name].startswith(HUB_PREFIX):
                continue
            with suppress(RuntimeError):  # no such home: the file is missed where it is read
                known[name] = str((base / Path(known[name]).expanduser()).resolve())
    return values


def known_keys() -> dict[str, list[str]]:
    """Keys of each section, in their order."""
    return {
        name: list(getattr(section.annotation, "model_fields", {}))
        for name, section in Config.model_fields.items()
    }


def _validate(
    merged: Mapping[str, Any], sources: Mapping[str, str]
) -> tuple[Config | None, list[str]]:
    config, details = _checked(merged)
    faults = [
        f"{_source_of(key, sources)}: {cut(key, 80)}{detail}" for key, detail in details.items()
    ]
    unsound = {key.split(".")[0] for key in details}
    # conflicts among the sound sections are reported along with the faults of the others
    sound = {name: merged[name] for name in known_keys() if name in merged and name not in unsound}
    for key, detail in conflicts(config or Config.model_validate(sound)):
        if key.split(".")[0] not in unsound:
            faults.append(f"{_source_of(key, sources)}: {key} {detail}")
    return (None if faults else config), faults


def _checked(merged: Mapping[str, Any]) -> tuple[Config | None, dict[str, str]]:
    try:
        return Config.model_validate(merged), {}
    except ValidationError as error:
        return None, fault_texts(error, known_keys())


def _source_of(key: str, sources: Mapping[str, str]) -> str:
    """Where a key was set: itself, else the last key inside it, else the table around it."""
    if key in sources:
        return sources[key]
    inside = [known for known in sources if known.startswith(f"{key}.")]
    nearest = inside[-1] if inside else key.rpartition(".")[0]
    return sources.get(nearest, "configuration")


def _merge(
    target: dict[str, Any], new: Mapping[str, Any], sources: dict[str, str], source: str
) -> None:
    for section, values in new.items():
        if not isinstance(values, Mapping):
            target[section] = values
            sources[section] = source
            continue
        known = target.setdefault(section, {})
        if not isinstance(known, dict):
            continue  # an earlier source has no table here, and that is the fault to tell
        for key, value in values.items():
            sources[f"{section}.{key}"] = source
            earlier: Any = known.get(key)
            if isinstance(value, Mapping):
                sources |= {f"{section}.{key}.{inner}": source for inner in value}
                earlier = earlier if isinstance(earlier, Mapping) else {}
                known[key] = {**earlier, **value}
            else:
                known[key] = value


def _parse_override(text: str) -> dict[str, Any]:
    key, equals, raw = text.partition("=")
    parts = [part.strip() for part in key.strip().split(".")]
    if not equals or len(parts) < 2 or not all(parts):
        raise ConfigError(
            f"--set {cut(text, 80)}: write it as section.key=value, as in kl.free_bits=0.05"
        )
    value: Any = toml_value(raw)
    for part in reversed(parts):
        value = {part: value}
    return dict(value)
