"""Images to patch tokens, through any timm backbone."""

from latentvqa.models.vision.backbone import (
    ImagePreparation,
    create_backbone,
    cut_stride,
    whole_weights,
)
from latentvqa.models.vision.encoder import VisionEncoder
from latentvqa.models.vision.weights import require_weights_file

__all__ = [
    "ImagePreparation",
    "VisionEncoder",
    "create_backbone",
    "cut_stride",
    "require_weights_file",
    "whole_weights",
]
