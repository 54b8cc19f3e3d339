"""The run folder: the names of all that lies in it, its own name, its configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from latentvqa.config import CONFIG_SCHEMA, Config, config_from_toml, config_to_toml, with_paths
from latentvqa.errors import CheckpointError, ConfigError
from latentvqa.history import LOG_NAME, POINTERS, SET_ASIDE_NAME
from latentvqa.regular_files import read_regular_text
from latentvqa.sums import SUMS_NAME, DamagedFileError, read_summed, replace_summed

CONFIG_FILE = "config.toml"
EVALUATION_FILE = "evaluation.json"
PREDICTIONS_FILE = "predictions.csv"
CONFIDENCE_FILE = "confidence.png"
ATTENTION_FILES = ("attention.npz", "attention.png")
EVALUATION_FILES = (EVALUATION_FILE, PREDICTIONS_FILE, CONFIDENCE_FILE, *ATTENTION_FILES)
BEST, LAST = POINTERS
_CHECKPOINTS = "checkpoints"
CLOSED = 0o775  # mode of a new run folder, less what the umask takes: not for everybody to write


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
        is_run = (path / CONFIG_FILE).is_file()  # a checkpoint has none
        if path.parent.name == _CHECKPOINTS and not is_run:
            return cls(path.parent.parent)
        return cls(path)

    @property
    def is_there(self) -> bool:
        """Whether it is a run: it has a configuration, or checkpoints; a checkpoint has neither."""
        return self.config.is_file() or self.checkpoints.is_dir()

    def own_files(self) -> list[Path]:
        """Files that a run cannot do without: all but its reports, data and evaluations."""
        reports = (self.report, self.curves)
        found = [path for path in self.written_files() if path not in reports]
        return [*found, *self.checkpoints.rglob("*")]

    def written_files(self) -> list[Path]:
        """Every file that a run writes into its folder itself, not into one below."""
        pointers = [self.best, self.last, self.saved, self.sums]
        about_data = [self.split, self.image_sums, self.answers]
        about_data += [self.blind_models, self.blind_weights, self.samples]
        log = [self.config, self.log, self.path / SET_ASIDE_NAME]
        return [*log, *about_data, *pointers, self.report, self.curves]

    @property
    def lock(self) -> Path:
        """Held by the process that writes into the folder; names it."""
        return self.path / ".lock"

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
    def samples(self) -> Path:
        """Answers to the same few questions after every few epochs."""
        return self.path / "samples.jsonl"

    @property
    def image_sums(self) -> Path:
        """What the images outside the folder were."""
        return self.path / "images.csv"

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
    def sums(self) -> Path:
        """SHA-256 of the other files that are read again, but for the log."""
        return self.path / SUMS_NAME

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


def new_run_folder(name: str, out: Path | None) -> Path:
    """The folder of a new run; whether it may be used is found out by who holds it.

    Args:
        name: of the preset or config; names ``runs/NAME``, ``runs/NAME-2``, ..., the
            first that this process could make.
        out: the wanted folder instead.

    Raises:
        CheckpointError: if it cannot be made.
    """
    if out is None:
        return next(
            folder for one in numbered(name) if (folder := Path("runs", one)) and _made(folder)
        )
    if os.path.lexists(out) and not out.is_dir():
        raise CheckpointError(f"--out {out}: is a file. Name a folder.")
    _made(out)
    return out


def write_config(run: Path, config: Config) -> None:
    """Write ``config.toml``, resolved and loadable again; paths inside are relative to it."""
    here = run.resolve()

    def recorded(path: Path) -> Path:
        real = Path(os.path.realpath(path))
        return real.relative_to(here) if real.is_relative_to(here) else path

    text = f"schema = {CONFIG_SCHEMA}\n\n{config_to_toml(with_paths(config, recorded))}"
    replace_summed({RunFolder(run).config: text.encode()})


def read_config(run: Path) -> Config:
    """Read the run's resolved configuration.

    Raises:
        CheckpointError: if the folder holds no run.
        ConfigError: if the configuration cannot be used, or a newer version wrote it.
    """
    path = RunFolder(run).config
    try:
        text = read_regular_text(path)
    except OSError as error:
        raise CheckpointError(
            f"{run}: no {CONFIG_FILE} in it. Give the folder that `latentvqa train` wrote."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 TOML: {error}") from error
    config = with_paths(config_from_toml(text, str(path)), lambda named: run.resolve() / named)
    return _with_own_scenes(run, config)


def edited_notes(run: Path) -> list[str]:
    """What to say of a configuration that is not as the run wrote it."""
    path = RunFolder(run).config
    try:
        read_summed(path, "")
    except DamagedFileError:
        return [f"{path} is not as the run wrote it: it was edited, or is damaged"]
    except OSError:  # told by who needs it
        pass
    return []


def _with_own_scenes(run: Path, config: Config) -> Config:
    """A run of an earlier version names the scenes in its folder by where that once was."""
    data = config.data
    if data.scenes is None or data.train is None or data.images is None or data.train.exists():
        return config
    folder = RunFolder(run.resolve()).data
    table = folder / data.train.name
    if not table.is_file():
        return config
    return config.replace("data", train=table, images=folder / data.images.name)


def run_of(path: Path) -> Path:
    """Run folder of ``RUN``, ``RUN/best``, ``RUN/last`` or ``RUN/checkpoints/NAME``."""
    return RunFolder.holding(path).path


def numbered(name: str) -> Iterator[str]:
    """NAME, NAME-2, NAME-3, ..."""
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _made(folder: Path) -> bool:
    """Make a folder; says whether it was not there."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            folder.mkdir(CLOSED)
            return True
    except OSError as error:
        raise CheckpointError(f"{folder}: the run folder cannot be made: {error}") from error
    return False
