"""A configuration as TOML text, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from latentvqa.config.loading import PATH_KEYS
from latentvqa.config.sections import Config
from latentvqa.config.toml_files import without_schema
from latentvqa.core.toml_text import parse_toml, written_toml
from latentvqa.errors import ConfigError


def config_to_toml(config: Config) -> str:
    """Write every resolved value; keys without a value are left out.

    Raises:
        ConfigError: naming a path that is no text.
    """
    return written_toml(plain_config(config))


def config_from_toml(text: str, source: str) -> Config:
    """Read what :func:`config_to_toml` wrote.

    Raises:
        ConfigError: naming ``source`` if the text is no such configuration, or a newer
            version wrote it.
    """
    try:
        return Config.model_validate(without_schema(parse_toml(text), source))
    except ValueError as error:  # pydantic's is one
        raise ConfigError(f"{source}: not a configuration of this version: {error}") from error


def with_paths(config: Config, change: Callable[[Path], Path]) -> Config:
    """The configuration with every path that it names changed."""
    for key in PATH_KEYS:
        section, name = key.split(".")
        value = getattr(getattr(config, section), name)
        if isinstance(value, Path):
            config = config.replace(section, **{name: change(value)})
    return config


def changed_keys(old: Config, new: Config) -> dict[str, tuple[Any, Any]]:
    """Dotted keys whose values differ, with the old and the new value."""
    before, after = _flat(plain_config(old)), _flat(plain_config(new))
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }


def plain_config(config: Config) -> dict[str, Any]:
    """Every value by section and key as TOML has it; keys without a value are left out."""
    plain: dict[str, Any] = _stringify(config.model_dump(exclude_none=True))
    return plain


def _stringify(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stringify(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return value


def _flat(nested: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{key}": value
        for section, values in nested.items()
        for key, value in values.items()
    }
