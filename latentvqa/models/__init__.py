"""Torch modules with plain keyword arguments.

They read no configuration, log nothing, move nothing between devices and
compute no loss.
"""

from latentvqa.models.backbone import ImagePreparation, create_backbone, whole_weights
from latentvqa.models.decoder import AnswerDecoder
from latentvqa.models.fusion import QuestionConditionedFusion
from latentvqa.models.generation import Generated, generate
from latentvqa.models.latent import LatentBottleneck, Posterior
from latentvqa.models.question import QuestionEncoder
from latentvqa.models.vision import VisionEncoder
from latentvqa.models.vqa import Encoded, VQAModel

__all__ = [
    "AnswerDecoder",
    "Encoded",
    "Generated",
    "ImagePreparation",
    "LatentBottleneck",
    "Posterior",
    "QuestionConditionedFusion",
    "QuestionEncoder",
    "VQAModel",
    "VisionEncoder",
    "create_backbone",
    "generate",
    "whole_weights",
]
