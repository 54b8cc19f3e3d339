import pytest
import torch

from latentvqa.models import JointFusion, QuestionConditionedFusion, ReadingFusion
from tests.models.fusion.parts import fused, question_parts


@pytest.fixture
def parts():
    return question_parts()


@pytest.mark.parametrize("kind", [QuestionConditionedFusion, JointFusion, ReadingFusion])
def test_an_image_of_several_questions_is_as_good_as_one_for_each(kind, parts):
    torch.manual_seed(0)
    fusion = kind(width=8, layers=2, heads=2).eval()
    patches, question, mask = parts
    shared = fusion(patches, torch.tensor([1, 1]), question, mask)
    each = fusion(patches[[1, 1]], None, question, mask)
    torch.testing.assert_close(shared.tokens, each.tokens)


@pytest.fixture
def reading():
    torch.manual_seed(0)
    return ReadingFusion(width=8, layers=2, heads=2).eval()


def test_a_question_that_reads_gives_its_state_at_the_start_and_after_each_step(reading, parts):
    patches, question, mask = parts
    found = reading(patches, None, question, mask)
    assert found.tokens.shape == (2, 3, 8)
    other = reading(patches.flip(0), None, question, mask)
    moved = (found.tokens - other.tokens).abs().amax(-1)
    assert moved[:, 0].tolist() == [0.0, 0.0]  # the question alone
    assert bool((moved[:, 1:] > 1e-6).all())


def test_the_shares_of_what_was_read_are_those_of_patches_and_question(reading, parts):
    patches, question, mask = parts
    read = reading(patches, None, question, mask).read
    assert read.shape == (2, 3, 6)
    torch.testing.assert_close(read.sum(-1), torch.ones(2, 3))
    assert read[:, 0].tolist() == [[0.0] * 5 + [1.0]] * 2
    assert bool((read[:, 1:, :5] > 0).all())
    torch.testing.assert_close(read[:, 1:, 5], torch.zeros(2, 2), atol=1e-6, rtol=0)


def test_a_patch_that_is_looked_at_alone_has_the_whole_share(reading, parts):
    patches, question, mask = parts
    with torch.no_grad():
        for layer in reading.layers:
            layer.read.query.weight.mul_(1e4)
    read = reading(patches, None, question, mask).read
    assert bool((read[:, 1:, :5].amax(-1) >= 0.5).all())  # two heads, each at one patch


def test_a_question_that_reads_sees_no_masked_word(reading, parts):
    patches, question, mask = parts
    changed = question.clone()
    changed[~mask] = 9.0
    torch.testing.assert_close(
        fused(reading, patches, changed, mask), fused(reading, patches, question, mask)
    )
    assert reading.gates().shape == (0,)


@pytest.mark.parametrize(
    "image_index", [[0, 1, 0, 0, 1], [2, 2, 2, 2, 2], [4, 3, 2, 1, 0], [0, 0, 0, 0, 5]]
)
def test_questions_in_any_order_read_their_own_images(reading, image_index):
    torch.manual_seed(2)
    patches, question = torch.randn(6, 5, 8), torch.randn(5, 3, 8)
    mask, index = torch.ones(5, 3, dtype=torch.bool), torch.tensor(image_index)
    found = reading(patches, index, question, mask)
    each = reading(patches[index], None, question, mask)
    torch.testing.assert_close(found.tokens, each.tokens)
    torch.testing.assert_close(found.read, each.read)
