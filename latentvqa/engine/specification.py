"""Everything that shapes a model, as a value that travels in ``model.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from latentvqa.config import Config
from latentvqa.core.records import Bottleneck
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.errors import CheckpointError
from latentvqa.models import cut_stride, description_of, require_description
from latentvqa.models.language.library import LanguageModel

FusionKind = Literal["modulated", "joint", "reading"]


@dataclass(frozen=True)
class ModelSpecification:
    """Everything that shapes a model.

    Attributes:
        vision_name: timm name of the backbone.
        image_size: pixels per side; absent means the backbone's own.
        stride: pixels per patch side; absent means the whole backbone.
        vision_layers: transformer layers among the patches.
        width: size D of every token vector.
        heads: attention heads.
        dropout: dropout probability.
        question_vocabulary: question token ids.
        question_layers: layers of the question encoder.
        max_question_tokens: longest question.
        fusion_layers: fusion layers.
        bottleneck: kind of bottleneck.
        latent_tokens: K.
        latent_dims: Z.
        initial_logvar: log variance of the untrained posterior.
        answer_vocabulary: answer token ids.
        decoder_layers: layers of the decoder.
        max_answer_tokens: longest answer, end token not counted.
        vision_blind: no image reaches the model; absent in older checkpoints, as are
            all that follow.
        vision_pool: patch tokens per side that a larger grid is averaged to.
        fusion_kind: how patches and question meet.
        word_dropout: chance of each word of a question to be hidden in training.
        question_model: the pretrained question encoder; None for one from scratch.
        question_trained_layers: its trained layers, from its end; None for all.
        answer_model: the pretrained answer decoder; None for one from scratch.
        lora_rank: rank of trained matrices beside the layers of both.
        vision_description: what a hub or a folder says of the backbone that it
            names; empty for timm's own.
        vision_trained_layers: trained layers of the backbone, from its end; None for all.
        vision_lora_rank: rank of trained matrices beside the backbone's linear layers.
        vision_fixed_statistics: whether batch normalisation keeps its statistics.
        vision_drop_path: chance of the backbone's last branch to be skipped in training.
        vision_relative_places: whether the transformer layers among the patches know how
            far apart two of them are.
    """

    vision_name: str
    image_size: int | None
    stride: int | None
    vision_layers: int
    width: int
    heads: int
    dropout: float
    question_vocabulary: int
    question_layers: int
    max_question_tokens: int
    fusion_layers: int
    bottleneck: Bottleneck
    latent_tokens: int
    latent_dims: int
    initial_logvar: float
    answer_vocabulary: int
    decoder_layers: int
    max_answer_tokens: int
    vision_blind: bool = False
    vision_pool: int | None = None
    fusion_kind: FusionKind = "modulated"
    word_dropout: float = 0.0
    question_model: LanguageModel | None = None
    question_trained_layers: int | None = 0
    answer_model: LanguageModel | None = None
    lora_rank: int = 0
    vision_description: str = ""
    vision_trained_layers: int | None = None
    vision_lora_rank: int = 0
    vision_fixed_statistics: bool = False
    vision_drop_path: float = 0.0
    vision_relative_places: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: Path) -> ModelSpecification:
        """Read what :meth:`to_json` gave.

        Raises:
            CheckpointError: if keys are missing or unknown, or a hub alone knows its shape.
        """
        try:
            models = {name: values.get(name) for name in ("question_model", "answer_model")}
            read = {name: one and LanguageModel.from_json(one) for name, one in models.items()}
            known = cls(**{**values, **read})
        except (TypeError, KeyError) as error:
            raise CheckpointError(f"{source}: model.json does not fit: {error}") from error
        require_description(known.vision_name, known.vision_description, source)
        return known


def specify(
    config: Config,
    tokenizers: Tokenizers,
    question_model: LanguageModel | None = None,
    answer_model: LanguageModel | None = None,
) -> ModelSpecification:
    """Derive the specification of a new model from a resolved configuration.

    Args:
        config: the configuration.
        tokenizers: of questions and answers.
        question_model: the pretrained question encoder, if there is one.
        answer_model: the pretrained answer decoder, if there is one.

    Raises:
        ConfigError: if a hub that ``vision.name`` names does not answer.
    """
    vision, text, fusion, latent = config.vision, config.text, config.fusion, config.latent
    description = description_of(vision.name)
    stride = vision.stride if isinstance(vision.stride, int) else None
    if stride is not None:
        stride = cut_stride(vision.name, stride, description)
    return ModelSpecification(
        vision_name=vision.name,
        image_size=vision.image_size if isinstance(vision.image_size, int) else None,
        stride=stride,
        vision_layers=vision.layers,
        width=fusion.width,
        heads=fusion.heads,
        dropout=fusion.dropout,
        question_vocabulary=tokenizers.question.size,
        question_layers=text.question_layers,
        max_question_tokens=text.max_question_tokens,
        fusion_layers=fusion.layers,
        bottleneck=latent.bottleneck,
        latent_tokens=latent.tokens,
        latent_dims=latent.dims,
        initial_logvar=latent.initial_logvar,
        answer_vocabulary=tokenizers.answer.size,
        decoder_layers=text.decoder_layers,
        max_answer_tokens=text.max_answer_tokens,
        vision_blind=vision.blind,
        vision_pool=vision.pool if isinstance(vision.pool, int) else None,
        fusion_kind=fusion.kind,
        word_dropout=text.word_dropout,
        question_model=question_model,
        question_trained_layers=text.trained_layers if text.trained_layers != "all" else None,
        answer_model=answer_model,
        lora_rank=text.lora_rank,
        vision_description=description,
        vision_trained_layers=vision.trained_layers if vision.trained_layers != "all" else None,
        vision_lora_rank=vision.lora_rank,
        vision_fixed_statistics=vision.fixed_statistics,
        vision_drop_path=vision.drop_path,
        vision_relative_places=vision.relative_places,
    )
