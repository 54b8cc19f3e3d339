"""A folder of images for each answer, as in image classification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentvqa.core.figures import counted
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.data.folders.search import images_below
from latentvqa.errors import DataError


def read_folders(
    root: Path, question: str, tell: Callable[[str], None] = lambda text: None
) -> list[ConvertedRow]:
    """Ask one question about every image; the outermost folder's name is its answer.

    Args:
        root: holds a folder for each answer, images in it or deeper.
        question: asked of every image.
        tell: is told of files that are no images.

    Raises:
        DataError: if there is no such folder, no image in any, or one beside them; if
            a name is no text.
    """
    found = images_below(root)
    names = [path.relative_to(root) for path in found.paths]
    if loose := [name.as_posix() for name in names if len(name.parts) == 1]:
        raise DataError(
            f"{root}: no folder names the answer of {counted(len(loose), 'image')}, the first is "
            f"{loose[0]}. Move them, or name the folder above."
        )
    if odd := [name.as_posix() for name in names if not _is_text(name.as_posix())]:
        raise DataError(
            f"{root}: the name is no text of {counted(len(odd), 'image')}, the first is "
            f"{odd[0]!a}. Rename them."
        )
    if found.left_out:
        tell(f"no images, left out: {found.left_out_text}")
    return [ConvertedRow(name.as_posix(), question, (name.parts[0],)) for name in names]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
