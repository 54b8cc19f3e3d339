"""Built-in scenes to train on without any data: pictures, questions, answers.

In the manner of Sort-of-CLEVR (Santoro et al. 2017). The same seed gives the
same bytes, and image ``i`` does not depend on how many there are.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Literal

from latentvqa.core.summed_text import has_right_sum, with_sum
from latentvqa.data.scenes.layout import SceneSpec, draw_scene, sample_scene
from latentvqa.data.scenes.questions import FAMILIES, ask_scene
from latentvqa.durable import is_unfinished, replace_file, unfinished_name
from latentvqa.errors import DataError, OutputError
from latentvqa.regular_files import read_regular

TABLE_NAME, IMAGES_NAME = "questions.csv", "images"
MADE_NAME = "scenes.json"  # says how the files beside it were made, and that we made them
_SCHEMA = 1  # before it there was no sum
Level = Literal["easy", "full"]
_SPECS = {
    "easy": SceneSpec(canvas=48, objects=3, radius=7, midline_margin=3.0),
    "full": SceneSpec(canvas=75, objects=6, radius=5, midline_margin=1.0),
}
_SHOWN = 5  # names in a message
_LEVEL_FAMILIES = {"easy": ("shape", "left", "top", "count"), "full": FAMILIES}


def make_scenes(
    folder: Path,
    *,
    images: int,
    seed: int,
    level: Level = "full",
    questions_per_image: int = 20,
    canvas: int | None = None,
    objects: int | None = None,
    radius: int | None = None,
    families: Sequence[str] | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``images/*.png``, ``questions.csv`` and ``scenes.json`` into a folder.

    The files are made aside and take their places at the end, the table last.

    Args:
        folder: made if missing; must be empty, or hold earlier scenes and nothing
            else if these are to be replaced.
        images: number of scenes.
        seed: chooses the scenes.
        level: ``full`` has six objects and six families of questions, half of
            them relational; ``easy`` three larger objects and four families.
        questions_per_image: different questions about each scene.
        canvas: side of the image in pixels, instead of the level's.
        objects: number of objects, instead of the level's.
        radius: half the side of an object in pixels, instead of the level's.
        families: families of questions, instead of the level's.
        overwrite: replace scenes that were made before.
        progress: called with the number of scenes done and the total.

    Returns:
        Path of the table, with columns image, question, answer, type; its
        images are relative to ``folder / "images"``.

    Raises:
        DataError: if the arguments fit no scene or the folder is not writable.
        OutputError: if the folder holds what is not to be replaced.
    """
    if level not in _SPECS:
        raise DataError(f"level {level!r}: use easy or full")
    if images < 1 or questions_per_image < 1:
        raise DataError("a set of scenes needs at least one image and one question for each")
    default = _SPECS[level]
    spec = SceneSpec(
        canvas=default.canvas if canvas is None else canvas,
        objects=default.objects if objects is None else objects,
        radius=default.radius if radius is None else radius,
        midline_margin=default.midline_margin,
    )
    asked = _LEVEL_FAMILIES[level] if families is None else tuple(families)
    made = {
        "schema": _SCHEMA,
        "seed": seed,
        "level": level,
        "images": images,
        "questions_per_image": questions_per_image,
        "families": list(asked),
    }
    _require_free(folder, overwrite=overwrite)
    is_new = not folder.exists()
    aside = unfinished_name(folder / "scenes")
    try:
        (aside / IMAGES_NAME).mkdir(parents=True)
        records: list[tuple[str, ...]] = []
        for index in range(images):
            random = Random(f"{seed}/{index}")
            scene = sample_scene(spec, random)
            picture = aside / IMAGES_NAME / _picture_name(index)
            draw_scene(scene, spec).save(picture)
            questions = ask_scene(
                scene, spec.canvas, count=questions_per_image, families=asked, random=random
            )
            records += [(picture.name, item.text, item.answer, item.family) for item in questions]
            if progress is not None:
                progress(index + 1, images)
        if overwrite:
            _move_earlier(folder, aside)
        (aside / IMAGES_NAME).rename(folder / IMAGES_NAME)
        replace_file(folder / MADE_NAME, with_sum(json.dumps(made, indent=1).encode()))
        replace_file(folder / TABLE_NAME, _table(records))
        return folder / TABLE_NAME
    except OSError as error:
        raise DataError(f"{folder}: the scenes cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if is_new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def are_scenes(folder: Path) -> bool:
    """Whether a folder holds scenes that were made here, and nothing else."""
    return _foreign_names(folder) == []


def _require_free(folder: Path, *, overwrite: bool) -> None:
    if not folder.is_dir() or all(is_unfinished(path) for path in folder.iterdir()):
        return
    if not overwrite:
        raise OutputError(
            f"{folder}: the folder is not empty. Replace scenes in it with --overwrite, or name "
            "another folder."
        )
    foreign = _foreign_names(folder)
    if foreign is None:
        raise OutputError(
            f"{folder}: no {MADE_NAME} in it, or a damaged one, that says how scenes were made, "
            "so that nothing in it is replaced. Name another folder."
        )
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise OutputError(
            f"{folder}: holds files that are no scenes: {', '.join(foreign[:_SHOWN])}{more}. "
            "Move them, or name another folder."
        )


def _foreign_names(folder: Path) -> list[str] | None:
    """Names in a folder of scenes that are not theirs; None where it is none."""
    try:
        content = read_regular(folder / MADE_NAME)
        made = json.loads(content)
        if made.keys() & {"schema", "sum"} and not has_right_sum(content):
            return None
        count = int(made["images"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    own = {TABLE_NAME, IMAGES_NAME, MADE_NAME}
    foreign = {path.name for path in folder.iterdir() if not is_unfinished(path)} - own
    if (folder / IMAGES_NAME).is_dir() and not (folder / IMAGES_NAME).is_symlink():
        pictures = {_picture_name(index) for index in range(count)}
        names = {path.name for path in (folder / IMAGES_NAME).iterdir()}
        foreign |= {f"{IMAGES_NAME}/{name}" for name in names - pictures}
    return sorted(foreign)


def _move_earlier(folder: Path, aside: Path) -> None:
    """Make room: the table goes first, for without its pictures it would be taken for whole."""
    (folder / TABLE_NAME).unlink(missing_ok=True)
    if os.path.lexists(folder / IMAGES_NAME):
        (folder / IMAGES_NAME).rename(aside / "earlier")


def _picture_name(index: int) -> str:
    return f"{index:05d}.png"


def _table(records: Sequence[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "question", "answer", "type"])
    writer.writerows(records)
    return text.getvalue().encode()
