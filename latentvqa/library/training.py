"""``latentvqa.train`` and ``latentvqa.resume``: a whole run, from configuration to report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentvqa.config import (
    Config,
    choose_config,
    choose_resumed,
    conflicts,
    preset_names,
)
from latentvqa.config.loading import config_error
from latentvqa.engine.complete_run import Run, complete_run
from latentvqa.engine.runs.folder import new_run_folder, read_config, run_of
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import ConfigError
from latentvqa.python_process import refuse_copies
from latentvqa.stopping import usual_interrupts

_UNNAMED = "run"


def train(
    config: Config | Path | str | None = None,
    out: Path | str | None = None,
    *,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    observer: Observer | None = None,
) -> Run:
    """Train a model, evaluate its best checkpoint, and write the reports, as the command does.

    Example:
        >>> run = latentvqa.train("run.toml", out="runs/first")  # doctest: +SKIP
        >>> run.diagnosis.verdict.sentence  # doctest: +SKIP

    Args:
        config: a configuration, a TOML file, or the name of a preset; without it,
            a preset and data, the quickstart is trained.
        out: run folder; by default a free ``runs/NAME``.
        preset: preset that a file builds on; not with a ``Config``.
        overrides: ``section.key=value`` texts that win over both; not with a
            ``Config``.
        overwrite: replace an earlier run in ``out``.
        observer: receives notices, progress, epochs and results; nobody by default.

    Returns:
        The finished run: its folder, epochs, diagnosis and evaluation.

    Raises:
        ConfigError: with every fault of the configuration; under a launcher of
            several processes.
        DataError: for a table or images that cannot be used.
        CheckpointError: if ``out`` is in use, or not empty and may not be replaced.
        DivergenceError: if a loss became NaN or infinite.
        KeyboardInterrupt: at Ctrl-C, after the run was saved; :func:`resume`
            continues it.
    """
    refuse_copies()
    settings, name = _settings(config, preset, overrides)
    if overwrite and out is None:
        raise ConfigError("overwrite replaces the run in out: name that folder")
    folder = new_run_folder(name, None if out is None else Path(out))
    with usual_interrupts():
        return complete_run(folder, settings, observer or Observer(), overwrite=overwrite)


def resume(
    run: Path | str, *, overrides: Sequence[str] = (), observer: Observer | None = None
) -> Run:
    """Continue an interrupted or finished run from its last checkpoint, then end it as a new one.

    Args:
        run: the run folder.
        overrides: ``section.key=value`` texts; only ``run.*``, worker counts,
            patience, epochs and the places of the same data may differ. A
            ``teacher.scorer`` of one's own must be named here again.
        observer: receives notices, progress, epochs and results; nobody by default.

    Returns:
        The finished run.

    Raises:
        ConfigError: listing keys that must not change.
        CheckpointError: if there is nothing to continue from or the data changed.
        KeyboardInterrupt: at Ctrl-C, after the run was saved.
    """
    refuse_copies()
    folder = run_of(Path(run))
    known = read_config(folder)  # names the folder if it is no run
    config, scorer = choose_resumed(known, overrides)
    with usual_interrupts():
        return complete_run(folder, config, observer or Observer(), is_resumed=True, scorer=scorer)


def _settings(
    config: Config | Path | str | None, preset: str | None, overrides: Sequence[str]
) -> tuple[Config, str]:
    """The configuration, and a name for its runs."""
    if not isinstance(config, Config):
        if isinstance(config, str) and preset is None and _is_preset(config):
            config, preset = None, config
        return choose_config(config, preset=preset, overrides=overrides)
    if preset is not None or overrides:
        raise ConfigError(
            "a Config is complete: give preset and overrides to latentvqa.load_config, "
            "or a file to train"
        )
    faults = [f"{key} {detail}" for key, detail in conflicts(config)]
    if faults:
        raise config_error(faults)
    return config, _UNNAMED


def _is_preset(name: str) -> bool:
    return name in preset_names() and not Path(name).is_file()
