"""Defaults < preset < file < ``--set``, merged and checked; all faults in one error."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from latentvqa.config.sections import Config, conflicts
from latentvqa.errors import ConfigError

# pydantic's own words are Python's
_WORDINGS = {"model_type": "must be a table of keys", "path_type": "input should be a path"}
_PATH_KEYS = ("data.train", "data.val", "data.images", "data.val_images", "vision.pretrained")
# keys of [kl] that only some schedules look at
_KEYS_OF_SCHEDULES = {
    "warmup_epochs": ("linear", "cyclical"),
    "warmup_by": ("linear",),
    "cycles": ("cyclical",),
    "rising_share": ("cyclical",),
    "set_point": ("controller",),
    "proportional_gain": ("controller",),
    "integral_gain": ("controller",),
}


def preset_names() -> list[str]:
    """Names of the presets that ship with the package."""
    folder = resources.files("latentvqa") / "presets"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def load_config(
    path: Path | None = None, *, preset: str | None = None, overrides: Sequence[str] = ()
) -> Config:
    """Merge defaults, a preset, a TOML file and ``key=value`` overrides.

    Args:
        path: TOML file; paths in it are relative to its folder.
        preset: name of a shipped preset.
        overrides: ``section.key=value``; values are TOML, else strings; paths in
            them are relative to the working directory.

    Raises:
        ConfigError: with every fault: file, key, value, bound and, for an
            unknown key, the nearest known one.
    """
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    faults: list[str] = []
    if preset is not None:
        _merge(merged, _read_preset(preset), sources, f"preset {preset}")
    if path is not None:
        _merge(merged, _absolute(_read_toml(path), path.parent), sources, str(path))
    for override in overrides:
        try:
            parsed = _parse_override(override)
        except ConfigError as error:
            faults.append(str(error))
            continue
        _merge(merged, _absolute(parsed, Path()), sources, "--set")
    return _validate(merged, sources, faults)


def config_warnings(config: Config) -> list[str]:
    """Combinations that are allowed but seldom meant."""
    warnings = []
    kl, default = config.kl, type(config.kl)()
    is_untouched = (kl.factor, kl.free_bits) == (default.factor, default.free_bits)
    if kl.reduction == "sum" and is_untouched and kl.free_bits != "auto":
        dims = config.latent.dims
        warnings.append(
            f'kl.reduction = "sum" with the factor and free_bits of "mean": the same weight costs '
            f"{dims} times as much (kl.factor = {kl.factor / dims:.3g} and kl.free_bits = "
            f"{kl.free_bits * dims:.3g} would price it as before)"
        )
    ignored = [
        f"kl.{key}"
        for key, schedules in _KEYS_OF_SCHEDULES.items()
        if kl.schedule not in schedules and getattr(kl, key) != getattr(default, key)
    ]
    if ignored:
        warnings.append(f'kl.schedule = "{kl.schedule}" ignores {", ".join(ignored)}')
    if kl.free_bits != "auto" and kl.free_bits_per_need != default.free_bits_per_need:
        warnings.append('kl.free_bits_per_need counts only under kl.free_bits = "auto"')
    return warnings


def known_keys() -> dict[str, list[str]]:
    """Keys of each section, in their order."""
    return {
        name: list(getattr(section.annotation, "model_fields", {}))
        for name, section in Config.model_fields.items()
    }


def _validate(
    merged: Mapping[str, Any], sources: Mapping[str, str], faults: Sequence[str]
) -> Config:
    found = list(faults)
    config, details = _checked(merged)
    found += [f"{_source_of(key, sources)}: {key}{detail}" for key, detail in details.items()]
    unsound = {key.split(".")[0] for key in details}
    # conflicts among the sound sections are told along with the faults of the others
    sound = {name: values for name, values in merged.items() if name not in unsound}
    for key, detail in conflicts(config or Config.model_validate(sound)):
        if key.split(".")[0] not in unsound:
            found.append(f"{_source_of(key, sources)}: {key} {detail}")
    if config is not None and not found:
        return config
    count = f"{len(found)} faults in the configuration" if len(found) > 1 else "configuration"
    raise ConfigError(f"{count}:\n" + "\n".join(f"  {fault}" for fault in found))


def _checked(merged: Mapping[str, Any]) -> tuple[Config | None, dict[str, str]]:
    try:
        return Config.model_validate(merged), {}
    except ValidationError as error:
        return None, _by_key(error)


def _by_key(error: ValidationError) -> dict[str, str]:
    """One message per dotted key; the branches of a union are joined."""
    details: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for fault in error.errors():
        location = [str(part) for part in fault["loc"]]
        key = ".".join(location[:3] if location[:2] == ["data", "columns"] else location[:2])
        if fault["type"] == "extra_forbidden":
            message = "is unknown" + _nearest(location)
        else:
            message = _WORDINGS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
            message = message[0].lower() + message[1:]
        details.setdefault(key, []).append(message)
        values[key] = fault["input"]
    texts = {}
    for key, messages in details.items():
        joined = " or ".join(dict.fromkeys(messages))
        if joined.startswith("is unknown"):
            texts[key] = f" {joined}"
        elif isinstance(values[key], Mapping):  # a fault between keys: the message names them
            texts[key] = f": {joined}"
        else:
            texts[key] = f" = {_shown(values[key])}: {joined}"
    return texts


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _nearest(location: Sequence[str]) -> str:
    keys = known_keys()
    if len(location) == 1 or location[0] not in keys:
        known, wanted = list(keys), location[0]
    else:
        known, wanted = keys[location[0]], location[1]
    matches = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    # a key that was put into the wrong section, or above all of them
    matches = matches or [f"{name}.{wanted}" for name, names in keys.items() if wanted in names]
    if matches:
        return f"; did you mean {matches[0]}?"
    return f"; known: {', '.join(known)}"


def _source_of(key: str, sources: Mapping[str, str]) -> str:
    """Where a key was set: itself, else the last key inside it, else the table around it."""
    inside = [known for known in sources if known.startswith(f"{key}.")]
    for known in (key, *inside[::-1], key.rpartition(".")[0]):
        if known in sources:
            return sources[known]
    return "configuration"


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


def _read_preset(name: str) -> dict[str, Any]:
    if name not in preset_names():
        near = difflib.get_close_matches(name, preset_names(), n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"--preset {name}: no such preset.{hint} There are: {', '.join(preset_names())}."
        )
    text = (resources.files("latentvqa") / "presets" / f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file. Give --config an existing TOML file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 TOML: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _parse_override(text: str) -> dict[str, Any]:
    key, equals, raw = text.partition("=")
    parts = [part.strip() for part in key.strip().split(".")]
    if not equals or len(parts) < 2 or not all(parts):
        raise ConfigError(f"--set {text}: write it as section.key=value, as in kl.free_bits=0.05")
    try:
        parsed = tomllib.loads(f"value = {raw}")
    except tomllib.TOMLDecodeError:
        parsed = {}
    # text that TOML would read as several keys is one string here
    value: Any = parsed["value"] if parsed.keys() == {"value"} else raw.strip()
    for part in reversed(parts):
        value = {part: value}
    return dict(value)


def _absolute(values: dict[str, Any], base: Path) -> dict[str, Any]:
    """Resolve path keys against ``base``; a backbone may be named by a path too."""
    for key in _PATH_KEYS:
        section, name = key.split(".")
        known = values.get(section)
        if isinstance(known, dict) and isinstance(known.get(name), str):
            if "\0" in known[name]:
                continue
            with suppress(RuntimeError):  # no such home: the file is missed where it is read
                known[name] = str((base / Path(known[name]).expanduser()).resolve())
    return values
