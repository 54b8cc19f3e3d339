"""Attention of the latent tokens as files: of rows of a table, and of predictions."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from latentvqa.data.decoding import decode_image
from latentvqa.data.formats.faults import HARD_MAX_PIXELS
from latentvqa.durable import replace_file
from latentvqa.engine.evaluation.evaluate import Evaluation
from latentvqa.engine.runs.folder import ATTENTION_FILES
from latentvqa.report.evaluation.attention import AttentionExample, attention_png
from latentvqa.report.evaluation.map_notice import sameness_notice

EXAMPLES = 6


def write_attention(evaluation: Evaluation, folder: Path) -> None:
    """Write ``attention.npz`` (each row's) and ``attention.png``, where there is attention.

    The archive holds ``rows`` (row numbers in the table's file) and ``attention``
    of shape ``(rows, K, P + 1)``: patches row by row, last the question summary.
    """
    found = evaluation.examination
    if found is None or found.attention is None or found.result.attention is None:
        return
    rows, attention = found.rows, found.attention
    buffer = BytesIO()
    np.savez_compressed(buffer, rows=rows, attention=attention)
    archive, drawing = (folder / name for name in ATTENTION_FILES)
    replace_file(archive, buffer.getvalue())
    mean = attention.mean(0, dtype=np.float64)
    grid = found.result.attention.grid
    notice = sameness_notice(found.result.map_divergence)
    picture = attention_png(grid, _examples(evaluation, rows, attention), mean, notice)
    replace_file(drawing, picture)


def _examples(
    evaluation: Evaluation, rows: np.ndarray, attention: np.ndarray
) -> list[AttentionExample]:
    """Questions about different images, taken evenly from the examined rows."""
    table = evaluation.table
    places = np.flatnonzero(np.isin(table.rows, rows))  # of the examined rows in the table
    firsts = np.unique(table.image_index[places], return_index=True)[1]
    count = min(EXAMPLES, len(firsts))
    examples = []
    for turn, first in enumerate(firsts[np.arange(count) * len(firsts) // count]):
        same = np.flatnonzero(table.image_index[places] == table.image_index[places[first]])
        chosen = same[turn % len(same)]  # not every time an image's first question
        row = int(places[chosen])
        examples.append(
            AttentionExample(
                image=np.asarray(
                    decode_image(
                        table.image_paths[table.image_index[row]], max_pixels=HARD_MAX_PIXELS
                    )
                ),
                question=table.questions[row],
                answer=evaluation.answers[row],
                attention=attention[chosen],
                confidence=float(evaluation.confidences[row]),
                is_right=bool(evaluation.is_right[row]),
                reference=table.reference(row),
            )
        )
    return examples
