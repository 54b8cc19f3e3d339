"""A new model that begins with the weights of an earlier run, on words of its own.

The vocabularies of the run come first, with their ids; words that only the new
table has follow. Weights are taken by name where they have the same shape, and row
by row where they belong to words or places of which there are more, or fewer, now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from latentvqa.config import Text
from latentvqa.data.tables import QuestionTable
from latentvqa.data.tokenizer import Tokenizers, train_tokenizers
from latentvqa.engine.language.reading import TextParts
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.specification import ModelSpecification
from latentvqa.errors import ConfigError
from latentvqa.models import VQAModel
from latentvqa.models.weights import load_own_state, own_state

_KEY = "run.init_from"
_LEARNED = ("question.", "fusion.", "bottleneck.", "decoder.", "vision.backbone.")
# rows belong to words or to places in a text
_BY_ROW = {
    "question.tokens.weight",
    "question.positions.weight",
    "decoder.tokens.weight",
    "decoder.positions.weight",
    "decoder.vocabulary.weight",
    "decoder.vocabulary.bias",
}


@dataclass(frozen=True)
class StartingWeights:
    """What a new model begins with.

    Attributes:
        source: the run folder or checkpoint that was named.
        weights: of its model, by name.
        tokenizers: of its questions and answers.
        spec: shape of its model.
    """

    source: Path
    weights: Mapping[str, Tensor]
    tokenizers: Tokenizers
    spec: ModelSpecification

    def text_parts(self, text: Text, table: QuestionTable) -> TextParts:
        """Vocabularies of the run, with the words of new training rows after them.

        Byte pairs and pretrained vocabularies know every text and stay as they are.

        Args:
            text: rules of new words.
            table: training questions and answers.
        """
        new, known = train_tokenizers(text, table), self.tokenizers
        return TextParts(
            Tokenizers(
                new.question.after(known.question, text.vocabulary_size),
                new.answer.after(known.answer, text.vocabulary_size),
            ),
            self.spec.question_model,
            self.spec.answer_model,
        )

    def give_to(self, model: VQAModel) -> str:
        """Let a model begin with what fits; says what was taken and what was not.

        Raises:
            ConfigError: if nothing fits.
        """
        state, left = own_state(model), Counter[str]()
        taken, matrices = 0, 0
        for name, value in state.items():
            known = self.weights.get(name)
            rows = 0 if known is None else _common_rows(name, value, known)
            if known is None or not rows:
                left[name.split(".")[0]] += value.numel()
                continue
            value[:rows].copy_(known[:rows]) if value.ndim else value.copy_(known)
            taken += known[:rows].numel() if value.ndim else 1
            # gates and the colours of an image fit any model
            matrices += value.ndim >= 2 and name.startswith(_LEARNED)
        whole = sum(value.numel() for value in state.values())
        if not matrices:
            raise ConfigError(
                f"{_KEY}: no weight of {self.source} fits this model. Train with the configuration "
                "of that run, its config.toml."
            )
        load_own_state(model, state)
        parts = ", ".join(f"{name} {count:,}" for name, count in left.items())
        new = f"; new: {parts}" if parts else ""
        return f"begins with the weights of {self.source}: {taken:,} of {whole:,}{new}"


def read_starting_weights(source: Path) -> StartingWeights:
    """Read what a run, its ``last`` or ``best``, or a checkpoint gives to a new model.

    Raises:
        CheckpointError: if nothing there can be loaded.
    """
    checkpoint = load_checkpoint(source)
    return StartingWeights(
        source=source,
        weights=checkpoint.weights,
        tokenizers=Tokenizers.from_json(checkpoint.tokenizers),
        spec=ModelSpecification.from_json(checkpoint.model["specification"], checkpoint.folder),
    )


def _common_rows(name: str, value: Tensor, known: Tensor) -> int:
    """How many leading rows of a tensor can be taken; 1 for a scalar."""
    if value.shape == known.shape:
        return len(value) if value.ndim else 1
    fits = name in _BY_ROW and value.shape[1:] == known.shape[1:]
    return min(len(value), len(known)) if fits else 0
