import pytest
import torch
from torch import nn

from latentvqa.models.attention import Attention, FeedForward, quieten_


def reference_of(attention):
    """Torch's own multi-head attention with the same weights."""
    width = attention.query.in_features
    reference = nn.MultiheadAttention(width, attention.heads, batch_first=True)
    joined = {
        name: torch.cat([getattr(attention.query, name), getattr(attention.key_value, name)])
        for name in ("weight", "bias")
    }
    reference.load_state_dict(
        {
            "in_proj_weight": joined["weight"],
            "in_proj_bias": joined["bias"],
            "out_proj.weight": attention.output.weight,
            "out_proj.bias": attention.output.bias,
        }
    )
    return reference


@pytest.fixture
def attention():
    torch.manual_seed(0)
    made = Attention(8, 2)
    for linear in (made.query, made.key_value, made.output):
        nn.init.normal_(linear.bias)
    return made


def test_attention_is_that_of_torch(attention):
    x, context = torch.randn(3, 4, 8), torch.randn(3, 5, 8)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    expected, weights = reference_of(attention)(x, context, context, key_padding_mask=~mask)
    torch.testing.assert_close(attention(x, context, mask=mask), expected)
    assert torch.equal(weights[2, :, 1:], torch.zeros(4, 4))


def test_the_weights_are_those_that_attention_uses(attention):
    x, context = torch.randn(3, 4, 8), torch.randn(3, 5, 8)
    _, expected = reference_of(attention)(x, context, context)
    torch.testing.assert_close(attention.weights(x, context), expected)


def test_a_causal_position_sees_none_after_it(attention):
    x = torch.randn(2, 5, 8)
    changed = x.clone()
    changed[:, 3:] = torch.randn(2, 2, 8)
    before, after = (attention(y, y, is_causal=True) for y in (x, changed))
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_attention_under_autocast_agrees_with_fp32(attention):
    x = torch.randn(2, 5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = attention(x, x)
    torch.testing.assert_close(low.float(), attention(x, x), atol=0.05, rtol=0.05)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="width 8 is not divisible by heads 3"):
        Attention(8, 3)


def test_quiet_branches_leave_the_stack_close_to_the_identity():
    torch.manual_seed(0)
    branch = FeedForward(8)
    x = torch.randn(4, 8)
    loud = (branch(x) - branch[-1].bias).norm()
    quieten_(branch, scale=0.1)
    torch.testing.assert_close(branch(x).norm(), 0.1 * loud)


@torch.no_grad()
def test_looking_is_attending_with_the_weights_told():
    attention = Attention(8, 2).eval()
    x, context = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    found, weights = attention.look(x, *attention.project(context))
    torch.testing.assert_close(found, attention(x, context))
    torch.testing.assert_close(weights.mean(1), attention.weights(x, context))


@torch.no_grad()
def test_sharpness_is_a_factor_of_the_scores_and_a_bias_is_added_to_them():
    attention = Attention(8, 1).eval()
    x, (key, value) = torch.randn(2, 3, 8), attention.project(torch.randn(2, 5, 8))
    bias = torch.randn(1, 3, 5)
    _, weights = attention.look(x, key, value, bias=bias, sharpness=4.0)
    scores = attention.query(x) @ key[:, 0].transpose(-1, -2) / 8**0.5
    torch.testing.assert_close(weights[:, 0], (4 * scores + bias).softmax(-1))
