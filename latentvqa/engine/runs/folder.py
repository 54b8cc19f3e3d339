"""The run folder: the names of all that lies in it, what may be overwritten, its configuration."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from latentvqa.config import Config, config_from_toml, config_to_toml
from latentvqa.durable import replace_file
from latentvqa.errors import CheckpointError, HistoryError
from latentvqa.history import LOG_NAME, POINTERS, log_path, read_history

CONFIG_FILE = "config.toml"
EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.csv"
BEST, LAST = POINTERS
_CHECKPOINTS = "checkpoints"
_VALIDATION = "validation"
_UNNAMED = "table"


@dataclass(frozen=True)
class RunFolder:
    """Where each file of a run lies; whether it is there is for others to find out.

    Args:
        path: the run folder.
    """

    path: Path

    @classmethod
    def holding(cls, path: Path) -> RunFolder:
        """The run of ``RUN``, ``RUN/best``, ``RUN/last`` or ``RUN/checkpoints/NAME``."""
        if path.name in POINTERS and not path.is_dir():
            return cls(path.parent)
        if path.parent.name == _CHECKPOINTS:
            return cls(path.parent.parent)
        return cls(path)

    def own_files(self) -> list[Path]:
        """Files that a run cannot do without: all but its reports, data and evaluations."""
        names = (self.config, self.log, self.split, self.answers, self.blind_models)
        pointers = (self.blind_weights, self.saved, self.best, self.last)
        return [*names, *pointers, *self.checkpoints.rglob("*")]

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / CONFIG_FILE

    @property
    def log(self) -> Path:
        """The header and the record of each epoch."""
        return self.path / LOG_NAME

    @property
    def split(self) -> Path:
        """Which image went to training or validation."""
        return self.path / "split.csv"

    @property
    def answers(self) -> Path:
        """How often each answer is trained on."""
        return self.path / "answers.json"

    @property
    def blind_models(self) -> Path:
        """What is known without images, fitted on the training rows."""
        return self.path / "blind.json"

    @property
    def blind_weights(self) -> Path:
        """The weights of the blind model that reads words."""
        return self.path / "blind.safetensors"

    @property
    def data(self) -> Path:
        """Folder of the scenes that were generated for the run."""
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        """Folder of all checkpoints."""
        return self.path / _CHECKPOINTS

    @property
    def saved(self) -> Path:
        """Names the checkpoints that the run saved itself."""
        return self.path / "checkpoints.json"

    @property
    def best(self) -> Path:
        """Names the checkpoint of the best epoch."""
        return self.path / BEST

    @property
    def last(self) -> Path:
        """Names the newest checkpoint."""
        return self.path / LAST

    @property
    def evaluations(self) -> Path:
        """Folder of the results on each table."""
        return self.path / "evaluations"

    @property
    def report(self) -> Path:
        """The page about the run."""
        return self.path / "report.html"

    @property
    def curves(self) -> Path:
        """The picture of its curves."""
        return self.path / "curves.png"


def new_run_folder(name: str, out: Path | None, *, overwrite: bool) -> Path:
    """Make an empty run folder.

    Args:
        name: of the preset or config; names ``runs/NAME``, ``runs/NAME-2``, ...
        out: the wanted folder instead.
        overwrite: empty a folder that an earlier run wrote.

    Raises:
        CheckpointError: if ``out`` is not empty and may not be emptied.
    """
    if out is None:
        return _create(_free_name(Path("runs"), name))
    if os.path.lexists(out) and not out.is_dir():
        raise CheckpointError(f"--out {out}: is a file. Name a folder.")
    if out.is_dir() and any(out.iterdir()):
        if not overwrite:
            raise CheckpointError(
                f"--out {out}: the folder is not empty. Continue its run with --resume {out}, "
                "replace it with --overwrite, or name another folder."
            )
        _require_ours(out)
        out = out.resolve()  # what a link leads to is emptied, the link stays
        shutil.rmtree(out)
    return _create(out)


def write_config(run: Path, config: Config) -> None:
    """Write ``config.toml``, resolved and loadable again."""
    replace_file(RunFolder(run).config, config_to_toml(config).encode())


def read_config(run: Path) -> Config:
    """Read the run's resolved configuration.

    Raises:
        CheckpointError: if the folder holds no run.
    """
    path = RunFolder(run).config
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(
            f"{run}: no {CONFIG_FILE} in it. Give the folder that `latentvqa train` wrote."
        ) from error
    return config_from_toml(text, str(path))


def run_of(path: Path) -> Path:
    """Run folder of ``RUN``, ``RUN/best``, ``RUN/last`` or ``RUN/checkpoints/NAME``."""
    return RunFolder.holding(path).path


def evaluation_folder(run: Path, table: Path | None = None, checkpoint: str = "") -> Path:
    """Where the results on a table belong.

    Args:
        run: the run folder.
        table: the table's file; None for the run's own validation split.
        checkpoint: what was evaluated; absent for the run's best.

    Returns:
        A folder named for the table's file; with a number where results on
        another table have that name, or the split's; with the checkpoint's name
        where it is not the best.
    """
    root = RunFolder(run).evaluations
    best = pointed_checkpoint(run, BEST) or checkpoint
    ending = f"@{checkpoint}" if checkpoint and checkpoint != best else ""
    if table is None:
        return root / f"{_VALIDATION}{ending}"
    stem = _UNNAMED if table.stem.strip(".") == "" else table.stem
    return next(
        folder
        for name in _numbered(stem)
        if name != _VALIDATION
        and _table_of(folder := root / f"{name}{ending}") in (None, str(table.resolve()))
    )


def pointed_checkpoint(run: Path, pointer: str) -> str | None:
    """Name of the checkpoint that ``best`` or ``last`` names; None where it names none."""
    try:
        return (run / pointer).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _table_of(folder: Path) -> str | None:
    """The table whose results a folder holds; None where none can be read."""
    try:
        return str(json.loads((folder / EVALUATION_FILE).read_text(encoding="utf-8"))["table"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _free_name(parent: Path, name: str) -> Path:
    return next(folder for one in _numbered(name) if not (folder := parent / one).exists())


def _numbered(name: str) -> Iterator[str]:
    """NAME, NAME-2, NAME-3, ..."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _create(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{folder}: the run folder cannot be made: {error}") from error
    return folder


def _require_ours(folder: Path) -> None:
    try:
        has_header = log_path(folder).is_file() and not read_history(folder).header.kl.is_assumed
    except HistoryError:
        has_header = False
    if not has_header:
        raise CheckpointError(
            f"--overwrite {folder}: the folder does not look like a run of this program "
            f"(no readable {LOG_NAME}), so nothing in it was touched."
        )
