"""Where the tools' files of a run lie, and which of them a new run may remove."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TENSORBOARD, WANDB, TRACKIO = "tensorboard", "wandb", "trackio"
WANDB_STATE = "latentvqa.json"
# what each tool makes in its folder; other names are the user's
_MADE = {
    TENSORBOARD: ("events.out.tfevents.*",),
    WANDB: (WANDB_STATE, "offline-run-*", "run-*", "latest-run", "debug*.log"),
    TRACKIO: ("latentvqa*", "media", "artifacts", "inbox", ".*"),
}


def remove_tracked(run: Path) -> None:
    """Remove what the tools made in a run folder; what a link leads to stays."""
    for name in _MADE:
        folder = run / name
        if folder.is_symlink() or not folder.is_dir():
            continue
        for path in list(_made(folder)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()


def _made(folder: Path) -> Iterator[Path]:
    for pattern in _MADE[folder.name]:
        yield from folder.glob(pattern)
