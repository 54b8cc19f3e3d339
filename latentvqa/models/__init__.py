"""Torch modules with plain keyword arguments.

They read no configuration, log nothing, move nothing between devices and
compute no loss.
"""

from latentvqa.models.averaging import AveragedWeights
from latentvqa.models.decoder import AnswerDecoder
from latentvqa.models.described import description_of, require_description
from latentvqa.models.fusion import JointFusion, QuestionConditionedFusion, ReadingFusion
from latentvqa.models.generation import AnswerTrie, Beams, Generated, generate, search_beams
from latentvqa.models.language.decoder import PretrainedDecoder
from latentvqa.models.language.question import PretrainedQuestionEncoder
from latentvqa.models.latent import LatentBottleneck, Posterior
from latentvqa.models.question import QuestionEncoder
from latentvqa.models.vision import (
    ImagePreparation,
    VisionEncoder,
    create_backbone,
    cut_stride,
    require_weights_file,
    whole_weights,
)
from latentvqa.models.vqa import Encoded, VQAModel
from latentvqa.models.weights import load_own_state, own_state

__all__ = [
    "AnswerDecoder",
    "AnswerTrie",
    "AveragedWeights",
    "Beams",
    "Encoded",
    "Generated",
    "ImagePreparation",
    "JointFusion",
    "LatentBottleneck",
    "Posterior",
    "PretrainedDecoder",
    "PretrainedQuestionEncoder",
    "QuestionConditionedFusion",
    "QuestionEncoder",
    "ReadingFusion",
    "VQAModel",
    "VisionEncoder",
    "create_backbone",
    "cut_stride",
    "description_of",
    "generate",
    "load_own_state",
    "own_state",
    "require_description",
    "require_weights_file",
    "search_beams",
    "whole_weights",
]
