"""What is trained where little is said: a file, a preset, or the quickstart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentvqa.config.loading import load_config
from latentvqa.config.sections import RULE_SCORER, Config
from latentvqa.config.writing import plain_config

_QUICKSTART = "quickstart"
_UNNAMED = "run"


def choose_config(
    path: Path | str | None = None, *, preset: str | None = None, overrides: Sequence[str] = ()
) -> tuple[Config, str]:
    """Load a configuration; the quickstart's where neither file, preset nor data is named.

    Args:
        path: TOML file.
        preset: name of a shipped preset.
        overrides: ``section.key=value``.

    Returns:
        The configuration, and a name for its runs.

    Raises:
        ConfigError: with every fault at once.
    """
    if path is None and preset is None and not _names_data(overrides):
        preset = _QUICKSTART
    config = load_config(path, preset=preset, overrides=overrides)
    return config, Path(path).stem if path is not None else preset or _UNNAMED


def choose_started(
    known: Config,
    source: Path,
    path: Path | str | None = None,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
) -> Config:
    """What a new run trains that begins with the weights of an earlier one.

    Without a file and a preset it is what the earlier run trained, on data of its own.

    Args:
        known: the configuration of the earlier run.
        source: the run folder.
        path: TOML file.
        preset: name of a shipped preset.
        overrides: ``section.key=value``.

    Raises:
        ConfigError: with every fault at once.
    """
    beneath = {} if path is not None or preset is not None else plain_config(known)
    beneath = {name: keys for name, keys in beneath.items() if name not in ("data", "run")}
    beneath["run"] = {"init_from": str(source.absolute())}
    return load_config(path, preset=preset, overrides=overrides, beneath=beneath)


def choose_resumed(known: Config, overrides: Sequence[str]) -> tuple[Config | None, str]:
    """What a run shall go on with, and the scorer that the options name themselves.

    Args:
        known: the configuration of the run.
        overrides: ``section.key=value``.

    Returns:
        The changed configuration, None where nothing is to change; and the
        ``teacher.scorer`` of the options, the package's own where they name none.

    Raises:
        ConfigError: with every fault at once.
    """
    if not overrides:
        return None, RULE_SCORER
    wanted = load_config(overrides=overrides, beneath=plain_config(known))
    unnamed = plain_config(known.replace("teacher", scorer=RULE_SCORER))
    return wanted, load_config(overrides=overrides, beneath=unnamed).teacher.scorer


def _names_data(overrides: Sequence[str]) -> bool:
    return any(text.startswith(("data.train", "data.scenes")) for text in overrides)
