import math

import pytest
import torch

from latentvqa.models import JointFusion, QuestionConditionedFusion
from tests.models.fusion.parts import fused, question_parts


@pytest.fixture
def fusion():
    torch.manual_seed(0)
    return QuestionConditionedFusion(width=8, layers=2, heads=2).eval()


@pytest.fixture
def parts():
    return question_parts()


def test_the_fused_tokens_are_the_patches_and_the_summary(fusion, parts):
    assert fused(fusion, *parts).shape == (2, 6, 8)


def test_masked_question_tokens_do_not_count(fusion, parts):
    patches, question, mask = parts
    changed = question.clone()
    changed[~mask] = 9.0
    torch.testing.assert_close(
        fused(fusion, patches, changed, mask), fused(fusion, patches, question, mask)
    )


def test_every_patch_depends_on_the_question(fusion, parts):
    patches, question, mask = parts
    moved = (
        fused(fusion, patches, question + 1.0, mask) - fused(fusion, patches, question, mask)
    ).abs()
    assert bool((moved.amax(-1) > 1e-6).all())


def test_the_question_scales_the_patches_even_where_the_gates_are_closed(fusion, parts):
    patches, question, mask = parts
    with torch.no_grad():
        for layer in fusion.layers:
            layer.gate.zero_()
    assert fusion.gates().tolist() == [0.0, 0.0]
    moved = (
        fused(fusion, patches, question + 1.0, mask) - fused(fusion, patches, question, mask)
    ).abs()
    assert bool((moved[:, :-1].amax(-1) > 1e-6).all())


def test_the_gates_are_the_tanh_of_their_parameters(fusion):
    assert fusion.gates().tolist() == pytest.approx([math.tanh(0.1)] * 2)


def test_the_order_of_the_patches_does_not_matter_to_the_summary(fusion, parts):
    patches, question, mask = parts
    flipped = fused(fusion, patches.flip(1), question, mask)
    torch.testing.assert_close(flipped[:, -1], fused(fusion, patches, question, mask)[:, -1])


@pytest.fixture
def joint():
    torch.manual_seed(0)
    return JointFusion(width=8, layers=2, heads=2).eval()


def test_in_a_joint_fusion_patches_and_words_attend_to_each_other(joint, parts):
    patches, question, mask = parts
    tokens = fused(joint, *parts)
    assert tokens.shape == (2, 6, 8)
    assert joint.gates().shape == (0,)
    by_word = (fused(joint, patches, question.flip(0), mask) - tokens).abs().amax(-1)
    assert bool((by_word > 1e-6).all())
    one_moved = patches.clone()
    one_moved[:, 2] = patches[:, 2].flip(0)
    by_patch = (fused(joint, one_moved, question, mask) - tokens).abs().amax(-1)
    assert bool((by_patch > 1e-6).all())


def test_a_joint_fusion_sees_no_masked_word(joint, parts):
    patches, question, mask = parts
    changed = question.clone()
    changed[~mask] = 9.0
    torch.testing.assert_close(
        fused(joint, patches, changed, mask), fused(joint, patches, question, mask)
    )
