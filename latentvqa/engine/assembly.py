"""The one place where parts are built: from a specification to a model.

A specification is all that is needed to rebuild a model offline; it travels in
``model.json`` with every checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from latentvqa.config import Config
from latentvqa.core.records import Bottleneck
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.errors import CheckpointError
from latentvqa.models import (
    AnswerDecoder,
    LatentBottleneck,
    QuestionConditionedFusion,
    QuestionEncoder,
    VisionEncoder,
    VQAModel,
    create_backbone,
)

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
        vision_blind: no image reaches the model; absent in older checkpoints.
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

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: Path) -> ModelSpecification:
        """Read what :meth:`to_json` gave.

        Raises:
            CheckpointError: if keys are missing or unknown.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise CheckpointError(f"{source}: model.json does not fit: {error}") from error


def specify(config: Config, tokenizers: Tokenizers) -> ModelSpecification:
    """Derive the specification of a new model from a resolved configuration."""
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
    )


def build_model(spec: ModelSpecification, pretrained: bool | Path = False) -> VQAModel:
    """Build the model; the weights are those of torch's default generator.

    Args:
        spec: its shape.
        pretrained: backbone weights, as in :func:`create_backbone`.
    """
    backbone, preparation = create_backbone(
        spec.vision_name,
        image_size=spec.image_size,
        stride=spec.stride,
        pretrained=False if spec.vision_blind else pretrained,
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
            blind=spec.vision_blind,
            **shared,
        ),
        question=QuestionEncoder(
            vocabulary_size=spec.question_vocabulary,
            layers=spec.question_layers,
            max_tokens=spec.max_question_tokens,
            **shared,
        ),
        fusion=QuestionConditionedFusion(layers=spec.fusion_layers, **shared),
        bottleneck=bottleneck,
        decoder=AnswerDecoder(
            vocabulary_size=spec.answer_vocabulary,
            layers=spec.decoder_layers,
            max_tokens=spec.max_answer_tokens + 1,  # and the end token
            **shared,
        ),
    )


def components(model: VQAModel) -> dict[str, list[tuple[str, nn.Parameter]]]:
    """Parameters of each component; the patch projection belongs to the fusion."""
    found: dict[str, list[tuple[str, nn.Parameter]]] = {name: [] for name in COMPONENTS}
    for name, parameter in model.named_parameters():
        root = name.split(".")[0]
        if root == "bottleneck":
            root = "latent"
        elif root == "vision" and not name.startswith("vision.backbone."):
            root = "fusion"
        found[root].append((name, parameter))
    return {name: members for name, members in found.items() if members}
