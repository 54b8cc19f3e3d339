"""Where image and question meet: patches that the question changes, or a question that reads."""

from latentvqa.models.fusion.conditioned import JointFusion, QuestionConditionedFusion
from latentvqa.models.fusion.fused import Fused
from latentvqa.models.fusion.reading import ReadingFusion

__all__ = ["Fused", "JointFusion", "QuestionConditionedFusion", "ReadingFusion"]
