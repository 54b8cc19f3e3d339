"""Questions to begin with on the page of ``latentvqa demo``: some of the validation split."""

from __future__ import annotations

from pathlib import Path

from latentvqa.errors import LatentVQAError

MOST_EXAMPLES = 6


def example_questions(checkpoint: Path) -> tuple[list[tuple[Path, str]], str]:
    """Pictures with a question each, where the validation split of the run is still there.

    Args:
        checkpoint: folder of the model.

    Returns:
        Different pictures, taken evenly from the split, and a remark why there are
        none, empty where there are.
    """
    from latentvqa.engine.runs.tables import validation_table

    try:
        table = validation_table(checkpoint)
    except LatentVQAError as error:
        return [], str(error)
    rows: dict[int, list[int]] = {}
    for row, image in enumerate(table.image_index):
        rows.setdefault(int(image), []).append(row)
    there = [image for image in rows if table.image_paths[image].is_file()]
    count = min(MOST_EXAMPLES, len(there))
    chosen = [there[place * len(there) // count] for place in range(count)]
    found = [
        # not every time a picture's first question
        (table.image_paths[image], table.questions[rows[image][turn % len(rows[image])]])
        for turn, image in enumerate(chosen)
    ]
    return found, "" if found else "the images of its validation split are not there"
