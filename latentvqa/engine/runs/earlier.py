"""An earlier run in the folder of a new one: whether it may give way, and what of it.

Only what a run makes is removed: foreign files stay, and data that is read.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from latentvqa.config import Config
from latentvqa.data.scenes.writing import IMAGES_NAME, MADE_NAME, TABLE_NAME
from latentvqa.durable import is_unfinished, remove_unfinished
from latentvqa.engine.runs.folder import EVALUATION_FILES, RunFolder, read_config
from latentvqa.engine.runs.saved_checkpoints import saved_names
from latentvqa.errors import CheckpointError, HistoryError, LatentVQAError
from latentvqa.history import LOG_NAME, log_path, read_history
from latentvqa.sums import SUMS_NAME
from latentvqa.tracking.folders import remove_tracked

BEGUN = "\na new run is made here"  # in the lock: what lies beside it is a run's
_SHOWN = 5  # names in a message
_PICTURE = re.compile(r"\d{5,}\.png")


def contents(run: Path) -> list[str]:
    """Names of what lies in a folder, without lock and what is unfinished; rising."""
    lock = RunFolder(run).lock.name
    if not run.is_dir():
        return []
    return sorted(
        path.name for path in run.iterdir() if path.name != lock and not is_unfinished(path)
    )


def require_usable(run: Path, left: str, *, overwrite: bool) -> None:
    """Refuse a folder that no new run may be made in.

    Args:
        run: the folder, held.
        left: what a killed process left in its lock.
        overwrite: whether an earlier run may give way.

    Raises:
        CheckpointError: saying what to do.
    """
    if not contents(run):
        return
    if not overwrite:
        raise CheckpointError(
            f"--out {run}: the folder is not empty. Continue its run with --resume {run}, "
            "replace it with --overwrite, or name another folder."
        )
    try:
        is_ours = log_path(run).is_file() and not read_history(run).header.kl.is_assumed
    except HistoryError:
        is_ours = False
    # a run that was killed before its log began has left its lock
    if not is_ours and BEGUN not in left:
        raise CheckpointError(
            f"--overwrite {run}: the folder does not look like a run of this program "
            f"(no readable {LOG_NAME}), so nothing in it was touched."
        )


def free_data_folder(run: Path) -> Path:
    """Where scenes for a new run can be made while an earlier one still lies in the folder."""
    data = RunFolder(run).data
    names = (data.name if number == 1 else f"{data.name}-{number}" for number in count(1))
    return next(run / name for name in names if not (run / name).exists())


def remove_earlier(run: Path, config: Config | None = None) -> list[str]:
    """Remove what a run made in a folder.

    Args:
        run: the folder, held.
        config: of the new run; data that it reads stays.

    Returns:
        Names of what stays and belongs to no run.
    """
    places = RunFolder(run)
    read = [] if config is None else _paths_of(config)
    for folder in _scene_folders(run):
        if not any(_is_below(path, folder) for path in read):
            _remove_scenes(folder)
    for folder in run.glob(f"{places.data.name}*/"):  # scenes whose making was killed
        remove_unfinished(folder)
        _remove_if_empty(folder)
    for name in saved_names(run):
        shutil.rmtree(places.checkpoints / name, ignore_errors=True)
    for folder in _own_folders(places.evaluations):
        for name in (*EVALUATION_FILES, SUMS_NAME):
            (folder / name).unlink(missing_ok=True)
        _remove_if_empty(folder)
    _remove_if_empty(places.evaluations)
    _remove_if_empty(places.checkpoints)
    remove_tracked(run)
    # the log goes last: it says that the rest is a run's
    for path in (*(one for one in places.written_files() if one != places.log), places.log):
        path.unlink(missing_ok=True)
    used = {path.relative_to(run.resolve()).parts[:1] for path in read if _is_below(path, run)}
    return [name for name in contents(run) if (name,) not in used]


def kept_notice(run: Path, names: Sequence[str]) -> str:
    """Says which files stay beside a new run."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"kept in {run}, for no run made them: {', '.join(names[:_SHOWN])}{more}"


def _scene_folders(run: Path) -> Collection[Path]:
    """Folders of scenes that were made for a run."""
    found = {path.parent for path in run.glob(f"*/{MADE_NAME}")}
    try:
        data = read_config(run).data
    except LatentVQAError:
        return found
    table = RunFolder(run).data / TABLE_NAME  # of an earlier version, which left no mark
    if data.scenes is not None and data.train is not None and data.train == table.resolve():
        found.add(table.parent)
    return found


def _remove_scenes(folder: Path) -> None:
    images = folder / IMAGES_NAME
    for path in images.iterdir() if images.is_dir() else ():
        if _PICTURE.fullmatch(path.name):
            path.unlink()
    for name in (TABLE_NAME, MADE_NAME):
        (folder / name).unlink(missing_ok=True)
    _remove_if_empty(images)
    _remove_if_empty(folder)


def _own_folders(parent: Path) -> list[Path]:
    """Folders in a folder; what a link leads to is not the run's."""
    if parent.is_symlink() or not parent.is_dir():
        return []
    return [path for path in parent.iterdir() if path.is_dir() and not path.is_symlink()]


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _paths_of(config: Config) -> list[Path]:
    data = config.data
    named = (data.train, data.val, data.images, data.val_images, config.vision.pretrained)
    return [path.resolve() for path in named if isinstance(path, Path)]


def _is_below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder.resolve())
