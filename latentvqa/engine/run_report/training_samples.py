"""What a run answered to the same few questions while it trained, for its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from latentvqa.config import Data
from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.run_report.pictures import NO_PICTURE, picture_of
from latentvqa.engine.runs.samples import read_samples
from latentvqa.errors import DataError, LatentVQAError
from latentvqa.report.page.samples import SHARP, Sample
from latentvqa.report.page.training_samples import TrainingSample

THUMBNAIL_SIDE = SHARP + 32  # pixels; beyond what is enlarged without smoothing
_DAMAGED = (
    "samples.jsonl is damaged: the answers that the run kept while it trained are left out. "
    "Remove the file; the next sample answers begin it anew."
)


def training_samples(
    run: Path, data: Data | None, notice: Callable[[str], None]
) -> tuple[list[TrainingSample], str]:
    """The questions whose answers the run kept, in the order of their rows.

    Args:
        run: the run folder.
        data: says where the images are; None to show none.
        notice: called with what is left out.

    Returns:
        The questions, and what the page must say where they cannot be read.
    """
    try:
        told = read_samples(run)
    except LatentVQAError as error:
        notice(f"warning: {error}")
        return [], _DAMAGED
    asked: dict[tuple[int, str, str], list[SampleAnswer]] = defaultdict(list)
    for one in told:
        asked[one.row, one.image, one.question].append(one)
    return [_training_sample(asked[key], data) for key in sorted(asked)], ""


def _training_sample(answers: list[SampleAnswer], data: Data | None) -> TrainingSample:
    last, picture = answers[-1], NO_PICTURE
    if data is not None:
        try:
            picture = picture_of(last.image, data, THUMBNAIL_SIDE)
        except (DataError, ValueError):
            picture = NO_PICTURE  # the answers tell enough without it
    shown = Sample(
        question=last.question,
        answer=last.answer,
        reference=last.reference,
        confidence=last.confidence,
        is_correct=last.is_right,
        image=picture.content,
        image_type=picture.media_type,
        size=picture.size,
        image_name=last.image,
    )
    return TrainingSample(shown, tuple(answers))
