"""What ``evaluate`` writes down: one JSON object, a row per question, and pictures."""

from __future__ import annotations

import csv
import errno
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.core.results.latent_use import LatentUse
from latentvqa.durable import replace_file
from latentvqa.engine.evaluation.attention import write_attention
from latentvqa.engine.evaluation.evaluate import Evaluation
from latentvqa.engine.runs.evaluations import SCHEMA, read_evaluation
from latentvqa.engine.runs.folder import (
    ATTENTION_FILES,
    CONFIDENCE_FILE,
    EVALUATION_FILE,
    PREDICTIONS_FILE,
)
from latentvqa.errors import CheckpointError
from latentvqa.report.evaluation.confidence import confidence_png
from latentvqa.report.text import formula_escaped
from latentvqa.stopping import deferred
from latentvqa.sums import replace_summed

_RESULT = TypeAdapter(EvaluationResult)


def evaluation_json(result: EvaluationResult) -> dict[str, Any]:
    """Everything as one object of plain values, with a schema version."""
    return {"schema": SCHEMA, **_RESULT.dump_python(result, mode="json")}


def write_evaluation(
    evaluation: Evaluation, folder: Path, *, escapes_formulas: bool = False
) -> None:
    """Write ``evaluation.json``, ``predictions.csv``, ``confidence.png`` and the attention.

    What an earlier evaluation there found about the use of the latent stays if this
    one did not ask, and its other figures are the same; else it goes, its attention
    with it.

    Args:
        evaluation: what was found.
        folder: where to; made if it is missing.
        escapes_formulas: put an apostrophe before cells of ``predictions.csv`` that a
            spreadsheet would compute.

    Raises:
        OSError: if they cannot be written, or a link stands in the place of the folder.
    """
    for place in (folder.parent, folder):
        if place.is_symlink():
            raise FileExistsError(errno.EEXIST, "is a link, which is not followed", str(place))
    with deferred():  # the files belong together
        folder.mkdir(parents=True, exist_ok=True)
        result = evaluation.result
        if result.latent_use is None:
            result = replace(result, latent_use=_earlier_latent_use(result, folder))
        if result.latent_use is None or result.latent_use.attention is None:
            for name in ATTENTION_FILES:
                (folder / name).unlink(missing_ok=True)
        text = json.dumps(evaluation_json(result), indent=1, ensure_ascii=False)
        rows = _predictions(evaluation, formula_escaped if escapes_formulas else str)
        tables = {EVALUATION_FILE: text, PREDICTIONS_FILE: rows}
        # the names of folders need be no text
        replace_summed(
            {
                folder / name: content.encode("utf-8", "backslashreplace")
                for name, content in tables.items()
            }
        )
        replace_file(folder / CONFIDENCE_FILE, confidence_png(result.confidence))
        write_attention(evaluation, folder)


def _earlier_latent_use(result: EvaluationResult, folder: Path) -> LatentUse | None:
    """What an earlier evaluation found, where it is one of the same answers."""
    try:
        earlier = _RESULT.validate_python(read_evaluation(folder))
    except (OSError, ValueError, CheckpointError):  # pydantic's is a ValueError
        return None
    is_same = all(
        getattr(earlier, name) == getattr(result, name)
        for name in ("checkpoint", "table", "questions", "losses")
    )
    return earlier.latent_use if is_same else None


def _predictions(evaluation: Evaluation, shown: Callable[[str], str]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["row", "image", "question", "answer", "reference", "correct", "confidence"])
    table = evaluation.table
    for row, answer in enumerate(evaluation.answers):
        writer.writerow(
            [
                int(table.rows[row]),
                shown(table.image_names[table.image_index[row]]),
                shown(table.questions[row]),
                shown(answer),
                shown(table.reference(row)),
                int(evaluation.is_right[row]),
                f"{evaluation.confidences[row]:.6f}",
            ]
        )
    return buffer.getvalue()
