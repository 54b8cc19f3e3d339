"""The image-blind models of a run: kept in its folder, or fitted anew from its tables."""

from __future__ import annotations

from pathlib import Path

from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.files import from_bytes, to_bytes
from latentvqa.data.blind.models import BlindModels, fit_blind_models
from latentvqa.data.blind.rows import blind_rows
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.engine.runs.tables import training_table
from latentvqa.errors import LatentVQAError
from latentvqa.sums import NewerFormatError, read_summed, replace_summed

_ADVICE = "Let `latentvqa train --resume` make it anew."
SEED = 0  # of the model that reads words: the same floor for every seed of a run


def fit_to_training_rows(encoded: EncodedTable, vocabulary: int, language: str) -> BlindModels:
    """Fit the blind models that a run is measured against.

    Args:
        encoded: the training rows.
        vocabulary: ids of the answer tokenizer.
        language: whose rules answers are normalised by; empty for none.
    """
    return fit_blind_models(blind_rows(encoded, language), vocabulary, SEED)


def write_blind_models(run: Path, models: BlindModels) -> None:
    """Keep the models in the run folder."""
    places = RunFolder(run)
    content, weights = to_bytes(models)
    replace_summed({places.blind_weights: weights, places.blind_models: content})


def read_blind_models(run: Path) -> BlindModels | None:
    """The models that a run keeps; None in a run of an earlier version.

    Raises:
        CheckpointError: if they are damaged.
    """
    places = RunFolder.holding(run)
    if not places.blind_models.is_file():
        return None
    weights = b""
    if places.blind_weights.is_file():
        weights = read_summed(places.blind_weights, _ADVICE)
    content = read_summed(places.blind_models, _ADVICE)
    return from_bytes(content, weights, str(places.blind_models))


def blind_models_of(run: Path, loaded: LoadedModel, language: str) -> BlindModels:
    """The models that a run keeps, else fitted anew on its training rows.

    Raises:
        LatentVQAError: if neither can be had, naming why.
    """
    try:
        known = read_blind_models(run)
    except NewerFormatError:
        raise
    except LatentVQAError:
        known = None
    if known is not None:
        return known
    spec = loaded.spec
    encoded = EncodedTable(
        training_table(run), loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens
    )
    return fit_to_training_rows(encoded, loaded.tokenizers.answer.size, language)
