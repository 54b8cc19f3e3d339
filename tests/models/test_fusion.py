import math

import pytest
import torch

from latentvqa.models import JointFusion, QuestionConditionedFusion


@pytest.fixture
def fusion():
    torch.manual_seed(0)
    return QuestionConditionedFusion(width=8, layers=2, heads=2).eval()


@pytest.fixture
def parts():
    torch.manual_seed(1)
    mask = torch.tensor([[True, True, False], [True, True, True]])
    return torch.randn(2, 5, 8), torch.randn(2, 3, 8), mask


def test_the_fused_tokens_are_the_patches_and_the_summary(fusion, parts):
    assert fusion(*parts).shape == (2, 6, 8)


def test_masked_question_tokens_do_not_count(fusion, parts):
    patches, question, mask = parts
    changed = question.clone()
    changed[~mask] = 9.0
    torch.testing.assert_close(fusion(patches, changed, mask), fusion(patches, question, mask))


def test_every_patch_depends_on_the_question(fusion, parts):
    patches, question, mask = parts
    moved = (fusion(patches, question + 1.0, mask) - fusion(patches, question, mask)).abs()
    assert bool((moved.amax(-1) > 1e-6).all())


def test_the_question_scales_the_patches_even_where_the_gates_are_closed(fusion, parts):
    patches, question, mask = parts
    with torch.no_grad():
        for layer in fusion.layers:
            layer.gate.zero_()
    assert fusion.gates().tolist() == [0.0, 0.0]
    moved = (fusion(patches, question + 1.0, mask) - fusion(patches, question, mask)).abs()
    assert bool((moved[:, :-1].amax(-1) > 1e-6).all())


def test_the_gates_are_the_tanh_of_their_parameters(fusion):
    assert fusion.gates().tolist() == pytest.approx([math.tanh(0.1)] * 2)


def test_the_order_of_the_patches_does_not_matter_to_the_summary(fusion, parts):
    patches, question, mask = parts
    flipped = fusion(patches.flip(1), question, mask)
    torch.testing.assert_close(flipped[:, -1], fusion(patches, question, mask)[:, -1])


@pytest.fixture
def joint():
    torch.manual_seed(0)
    return JointFusion(width=8, layers=2, heads=2).eval()


def test_in_a_joint_fusion_patches_and_words_attend_to_each_other(joint, parts):
    patches, question, mask = parts
    fused = joint(*parts)
    assert fused.shape == (2, 6, 8)
    assert joint.gates().shape == (0,)
    by_word = (joint(patches, question.flip(0), mask) - fused).abs().amax(-1)
    assert bool((by_word > 1e-6).all())
    one_moved = patches.clone()
    one_moved[:, 2] = patches[:, 2].flip(0)
    by_patch = (joint(one_moved, question, mask) - fused).abs().amax(-1)
    assert bool((by_patch > 1e-6).all())


def test_a_joint_fusion_sees_no_masked_word(joint, parts):
    patches, question, mask = parts
    changed = question.clone()
    changed[~mask] = 9.0
    torch.testing.assert_close(joint(patches, changed, mask), joint(patches, question, mask))
