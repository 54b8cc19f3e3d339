"""Built-in scenes to train on without any data: pictures, questions, answers.

In the manner of Sort-of-CLEVR (Santoro et al. 2017). The same seed gives the
same bytes, and image ``i`` does not depend on how many there are.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Literal

from latentvqa.data.scenes.layout import SceneSpec, draw_scene, sample_scene
from latentvqa.data.scenes.questions import FAMILIES, ask_scene
from latentvqa.errors import DataError

Level = Literal["easy", "full"]
_SPECS = {
    "easy": SceneSpec(canvas=48, objects=3, radius=7, midline_margin=3.0),
    "full": SceneSpec(canvas=75, objects=6, radius=5, midline_margin=1.0),
}
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
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``images/*.png`` and ``questions.csv`` into a folder.

    Args:
        folder: made if missing; files of the same names are replaced.
        images: number of scenes.
        seed: chooses the scenes.
        level: ``full`` has six objects and six families of questions, half of
            them relational; ``easy`` three larger objects and four families.
        questions_per_image: different questions about each scene.
        canvas: side of the image in pixels, instead of the level's.
        objects: number of objects, instead of the level's.
        radius: half the side of an object in pixels, instead of the level's.
        families: families of questions, instead of the level's.
        progress: called with the number of scenes done and the total.

    Returns:
        Path of the table, with columns image, question, answer, type; its
        images are relative to ``folder / "images"``.

    Raises:
        DataError: if the arguments fit no scene or the folder is not writable.
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
    try:
        (folder / "images").mkdir(parents=True, exist_ok=True)
        records: list[tuple[str, ...]] = []
        for index in range(images):
            random = Random(f"{seed}/{index}")
            scene = sample_scene(spec, random)
            picture = folder / "images" / f"{index:05d}.png"
            draw_scene(scene, spec).save(picture)
            questions = ask_scene(
                scene, spec.canvas, count=questions_per_image, families=asked, random=random
            )
            records += [(picture.name, item.text, item.answer, item.family) for item in questions]
            if progress is not None:
                progress(index + 1, images)
        return _write_table(folder / "questions.csv", records)
    except OSError as error:
        raise DataError(f"{folder}: the scenes cannot be written: {error}") from error


def _write_table(path: Path, records: Sequence[tuple[str, ...]]) -> Path:
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["image", "question", "answer", "type"])
        writer.writerows(records)
    return unfinished.replace(path)
