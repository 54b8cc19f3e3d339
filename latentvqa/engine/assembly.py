"""The one place where parts are built: from a specification to a model.

A specification is all that is needed to rebuild a model offline; it travels in
``model.json`` with every checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from torch import nn

from latentvqa.config import Config
from latentvqa.core.records import Bottleneck
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.errors import CheckpointError
from latentvqa.models import (
    AnswerDecoder,
    JointFusion,
    LatentBottleneck,
    PretrainedDecoder,
    PretrainedQuestionEncoder,
    QuestionConditionedFusion,
    QuestionEncoder,
    VisionEncoder,
    VQAModel,
    create_backbone,
    description_of,
    require_description,
)
from latentvqa.models.language.library import LanguageModel

FusionKind = Literal["modulated", "joint"]
_FUSIONS: dict[FusionKind, type[QuestionConditionedFusion | JointFusion]] = {
    "modulated": QuestionConditionedFusion,
    "joint": JointFusion,
}

# components, each with a learning rate of its own
COMPONENTS = ("vision", "question", "fusion", "latent", "decoder")


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
    return ModelSpecification(
        vision_name=vision.name,
        image_size=vision.image_size if isinstance(vision.image_size, int) else None,
        stride=vision.stride if isinstance(vision.stride, int) else None,
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
        vision_description=description_of(vision.name),
    )


@dataclass(frozen=True)
class PretrainedWeights:
    """Where the weights of a new model's parts come from.

    Attributes:
        vision: timm's cache or hub, or a file; untrained without.
        question: folder or ``hf-hub:`` name of the question encoder.
        answer: the same of the answer decoder.
    """

    vision: bool | Path = False
    question: str | Path | None = None
    answer: str | Path | None = None


UNTRAINED = PretrainedWeights()


def pretrained_weights(config: Config) -> PretrainedWeights:
    """What a configuration names."""
    return PretrainedWeights(config.vision.pretrained, config.text.encoder, config.text.decoder)


def build_model(spec: ModelSpecification, weights: PretrainedWeights = UNTRAINED) -> VQAModel:
    """Build the model; other weights are those of torch's default generator.

    Args:
        spec: its shape.
        weights: where pretrained ones come from.

    Raises:
        ConfigError: if weights cannot be had, or a library that a part needs.
    """
    backbone, preparation = create_backbone(
        spec.vision_name,
        image_size=spec.image_size,
        stride=spec.stride,
        pretrained=False if spec.vision_blind else weights.vision,
        description=spec.vision_description,
    )
    shared: dict[str, Any] = {"width": spec.width, "heads": spec.heads, "dropout": spec.dropout}
    bottleneck = None
    if spec.bottleneck != "none":
        bottleneck = LatentBottleneck(
            tokens=spec.latent_tokens,
            dims=spec.latent_dims,
            kind=spec.bottleneck,
            initial_logvar=spec.initial_logvar,
            **shared,
        )
    return VQAModel(
        vision=VisionEncoder(
            backbone=backbone,
            preparation=preparation,
            layers=spec.vision_layers,
            pool=spec.vision_pool,
            blind=spec.vision_blind,
            **shared,
        ),
        question=_question_encoder(spec, weights, shared),
        fusion=_FUSIONS[spec.fusion_kind](layers=spec.fusion_layers, **shared),
        bottleneck=bottleneck,
        decoder=_answer_decoder(spec, weights, shared),
    )


def _question_encoder(
    spec: ModelSpecification, weights: PretrainedWeights, shared: Mapping[str, Any]
) -> QuestionEncoder | PretrainedQuestionEncoder:
    if spec.question_model is None:
        return QuestionEncoder(
            vocabulary_size=spec.question_vocabulary,
            layers=spec.question_layers,
            max_tokens=spec.max_question_tokens,
            word_dropout=spec.word_dropout,
            **shared,
        )
    return PretrainedQuestionEncoder(
        spec.question_model,
        width=spec.width,
        dropout=spec.dropout,
        word_dropout=spec.word_dropout,
        trained_layers=spec.question_trained_layers,
        lora_rank=spec.lora_rank,
        pretrained=weights.question,
    )


def _answer_decoder(
    spec: ModelSpecification, weights: PretrainedWeights, shared: Mapping[str, Any]
) -> AnswerDecoder | PretrainedDecoder:
    most_tokens = spec.max_answer_tokens + 1  # and the end token
    if spec.answer_model is None:
        return AnswerDecoder(
            vocabulary_size=spec.answer_vocabulary,
            layers=spec.decoder_layers,
            max_tokens=most_tokens,
            **shared,
        )
    return PretrainedDecoder(
        spec.answer_model,
        width=spec.width,
        max_tokens=most_tokens,
        lora_rank=spec.lora_rank,
        pretrained=weights.answer,
    )


def components(model: VQAModel) -> dict[str, list[tuple[str, nn.Parameter]]]:
    """Parameters of each component; projections of pretrained parts belong to the fusion."""
    pretrained = {name for name, part in model.named_children() if hasattr(part, "backbone")}
    found: dict[str, list[tuple[str, nn.Parameter]]] = {name: [] for name in COMPONENTS}
    for name, parameter in model.named_parameters():
        root = name.split(".")[0]
        if root == "bottleneck":
            root = "latent"
        elif root in pretrained and not name.startswith(f"{root}.backbone."):
            root = "fusion"
        found[root].append((name, parameter))
    return {name: members for name, members in found.items() if members}
