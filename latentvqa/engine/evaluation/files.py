"""What ``evaluate`` writes down: one JSON object, a row per question, and pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentvqa.core.answers.matching import exact_match
from latentvqa.durable import replace_file
from latentvqa.engine.evaluation.attention import ATTENTION_FILES, write_attention
from latentvqa.engine.evaluation.evaluate import Evaluation
from latentvqa.engine.metrics.protocols import PROTOCOLS, bleu_signature
from latentvqa.engine.runs.folder import EVALUATION_FILE, PREDICTIONS_FILE
from latentvqa.report.evaluation.confidence import confidence_png

SCHEMA = 1
_LOSSES = (
    "answer_loss",
    "answer_nll",
    "total_loss",
    "kl_raw",
    "kl_after",
    "rate",
    "information_bound",
    "answer_entropy",
    "answer_gain",
    "active_units",
    "temperature",
)


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Everything as one object of plain values, with a schema version."""
    seen, use = evaluation.seen, evaluation.latent_use
    return {
        "schema": SCHEMA,
        "run": str(evaluation.run),
        "checkpoint": evaluation.checkpoint.name,
        "table": str(evaluation.table.path.resolve()),
        "questions": len(evaluation.table),
        "images": len(evaluation.table.image_paths),
        "language": evaluation.language,
        "metrics": {name: measure.to_json() for name, measure in evaluation.measures.items()},
        "protocols": {
            **{name: told for name, told in PROTOCOLS.items() if name in evaluation.measures},
            "bleu_signature": bleu_signature(),
        },
        "losses": {name: getattr(evaluation.losses, name) for name in _LOSSES},
        "priors": dict(evaluation.priors),
        "types": {
            name: {"exact_match": scores.exact_match.to_json(), "prior": scores.prior}
            for name, scores in evaluation.types.items()
        },
        "seen_answers": None
        if seen is None
        else {
            "upper_bound": seen.upper_bound,
            "exact_match_by_times_trained_on": {
                name: measure.to_json() for name, measure in seen.bands.items()
            },
        },
        "confidence": evaluation.confidence.to_json(),
        "latent_use": None if use is None else use.to_json(),
    }


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write ``evaluation.json``, ``predictions.csv``, ``confidence.png`` and the attention.

    What an earlier evaluation there found about the use of the latent stays if this
    one did not ask, and its other figures are the same; else it goes, its attention
    with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = evaluation_json(evaluation)
    if evaluation.latent_use is None:
        found["latent_use"] = _earlier_latent_use(found, folder)
    if found["latent_use"] is None or found["latent_use"]["attention"] is None:
        for name in ATTENTION_FILES:
            (folder / name).unlink(missing_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    replace_file(folder / EVALUATION_FILE, text.encode())
    replace_file(folder / PREDICTIONS_FILE, _predictions(evaluation).encode())
    replace_file(folder / "confidence.png", confidence_png(found["confidence"]))
    write_attention(evaluation, folder)


def _earlier_latent_use(found: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    try:
        earlier = json.loads((folder / EVALUATION_FILE).read_text(encoding="utf-8"))
        is_same = all(
            earlier[key] == found[key] for key in ("checkpoint", "table", "questions", "losses")
        )
        use: dict[str, Any] | None = earlier["latent_use"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return use if is_same else None


def _predictions(evaluation: Evaluation) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["row", "image", "question", "answer", "reference", "correct", "confidence"])
    table, language = evaluation.table, evaluation.language
    for row, answer in enumerate(evaluation.answers):
        writer.writerow(
            [
                int(table.rows[row]),
                table.image_names[table.image_index[row]],
                table.questions[row],
                answer,
                table.reference(row),
                int(exact_match(answer, table.answers[row], language)),
                f"{evaluation.confidences[row]:.6f}",
            ]
        )
    return buffer.getvalue()
