"""A folder of images for each answer, as in image classification."""

from __future__ import annotations

import os
from pathlib import Path

from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.data.image_names import SUFFIXES
from latentvqa.errors import DataError


def read_folders(root: Path, question: str) -> list[ConvertedRow]:
    """Ask one question about every image; the outermost folder's name is its answer.

    Args:
        root: holds a folder for each answer, images in it or deeper.
        question: asked of every image.

    Raises:
        DataError: if there is no such folder, no image in any, or one beside them.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    rows = []
    for parent, folders, files in os.walk(root):
        folders.sort()
        inner = Path(parent).relative_to(root)
        for name in sorted(files):
            if inner.parts and Path(name).suffix.lower() in SUFFIXES:
                image = (inner / name).as_posix()
                rows.append(ConvertedRow(image, question, (inner.parts[0],)))
    if loose := [path for path in root.iterdir() if path.suffix.lower() in SUFFIXES]:
        raise DataError(
            f"{root}: {len(loose):,} images lie in no folder that would name their answer, the "
            f"first is {min(loose).name}. Move them, or name the folder above."
        )
    if not rows:
        raise DataError(f"{root}: no image in any folder of it (looked for {', '.join(SUFFIXES)})")
    return rows
