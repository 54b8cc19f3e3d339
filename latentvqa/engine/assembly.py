"""The one place where parts are built: from a specification to a model.

A specification is all that is needed to rebuild a model offline; it travels in
``model.json`` with every checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from latentvqa.config import Config
from latentvqa.engine.specification import FusionKind, ModelSpecification
from latentvqa.models import (
    AnswerDecoder,
    JointFusion,
    LatentBottleneck,
    PretrainedDecoder,
    PretrainedQuestionEncoder,
    QuestionConditionedFusion,
    QuestionEncoder,
    ReadingFusion,
    VisionEncoder,
    VQAModel,
    create_backbone,
)

_FUSIONS: dict[FusionKind, type[QuestionConditionedFusion | JointFusion | ReadingFusion]] = {
    "modulated": QuestionConditionedFusion,
    "joint": JointFusion,
    "reading": ReadingFusion,
}

# components, each with a learning rate of its own
COMPONENTS = ("vision", "question", "fusion", "latent", "decoder")


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
        drop_path=spec.vision_drop_path,
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
            relative_places=spec.vision_relative_places,
            pool=spec.vision_pool,
            trained_layers=spec.vision_trained_layers,
            lora_rank=spec.vision_lora_rank,
            fixed_statistics=spec.vision_fixed_statistics,
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
