import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F

from latentvqa.objectives import (
    answer_loss,
    answer_nll,
    free_bits_penalty,
    kl_per_dimension,
    kl_per_token,
    orthogonality,
    preference_loss,
    spread_nll,
)

PAD = 0


def gaussians(seed=0, shape=(5, 3, 4)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


def test_the_kl_is_that_of_torch_distributions():
    mu, logvar = gaussians()
    expected = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_per_dimension(mu, logvar), expected)


def test_the_kl_is_zero_at_the_prior_and_positive_beside_it():
    zero = torch.zeros(2, 3, 4)
    assert torch.equal(kl_per_dimension(zero, zero), zero)
    assert bool((kl_per_dimension(zero + 0.1, zero) > 0).all())
    assert bool((kl_per_dimension(zero, zero - 0.1) > 0).all())


def test_the_kl_is_reckoned_in_fp32_or_better_whatever_comes_in():
    mu, logvar = (part.bfloat16() for part in gaussians())
    assert kl_per_dimension(mu, logvar).dtype is torch.float32
    assert kl_per_dimension(mu.double(), logvar.double()).dtype is torch.float64
    torch.testing.assert_close(
        kl_per_dimension(mu, logvar), kl_per_dimension(mu.float(), logvar.float())
    )


def test_the_sum_over_dimensions_is_z_times_their_mean():
    kl_dim = kl_per_dimension(*gaussians())
    mean, total = kl_per_token(kl_dim, "mean"), kl_per_token(kl_dim, "sum")
    assert mean.shape == (5, 3)
    torch.testing.assert_close(total, 4 * mean)
    torch.testing.assert_close(total, kl_dim.sum(-1))


def test_the_hinge_is_taken_per_example_and_token_and_not_on_the_mean():
    kl_token = torch.tensor([[0.0, 0.4], [0.1, 0.1]])
    assert free_bits_penalty(kl_token, 0.2).item() == pytest.approx(0.05)
    assert max(0.0, kl_token.mean().item() - 0.2) == 0.0


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=20), st.floats(0, 1e3))
def test_the_hinge_of_the_mean_never_exceeds_the_mean_of_the_hinge(values, free_bits):
    kl_token = torch.tensor(values, dtype=torch.float64)[:, None]
    of_the_mean = max(0.0, kl_token.mean().item() - free_bits)
    assert of_the_mean <= free_bits_penalty(kl_token, free_bits).item() + 1e-9


def test_free_bits_are_in_the_unit_of_the_reduction():
    kl_dim = kl_per_dimension(*gaussians())
    under_mean = free_bits_penalty(kl_per_token(kl_dim, "mean"), 0.3)
    under_sum = free_bits_penalty(kl_per_token(kl_dim, "sum"), 4 * 0.3)
    torch.testing.assert_close(under_sum, 4 * under_mean)


def test_without_free_bits_the_penalty_is_the_mean_kl():
    kl_token = kl_per_token(kl_per_dimension(*gaussians()))
    torch.testing.assert_close(free_bits_penalty(kl_token, 0.0), kl_token.mean())


def test_tokens_inside_their_allowance_get_no_gradient():
    kl_token = torch.tensor([[0.05, 0.5]], requires_grad=True)
    free_bits_penalty(kl_token, 0.1).backward()
    assert kl_token.grad.tolist() == [[0.0, 0.5]]


def test_orthogonal_tokens_cost_nothing_and_equal_ones_one():
    basis = torch.eye(4)[None, :3] * torch.tensor([1.0, 5.0, 0.1])[:, None]
    assert orthogonality(basis).item() == pytest.approx(0.0, abs=1e-7)
    same = torch.randn(1, 1, 8).expand(2, 3, 8)
    assert orthogonality(same).item() == pytest.approx(1.0)
    assert orthogonality(-same).item() == pytest.approx(1.0)


def test_orthogonality_is_the_mean_squared_cosine_of_different_tokens():
    memory = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    squares = [
        F.cosine_similarity(example[k], example[m], dim=0).item() ** 2
        for example in memory
        for k in range(4)
        for m in range(4)
        if k != m
    ]
    assert orthogonality(memory).item() == pytest.approx(sum(squares) / len(squares), rel=1e-5)


def test_a_single_token_is_orthogonal_to_nothing():
    assert orthogonality(torch.randn(2, 1, 8)).item() == 0.0


def test_zero_tokens_give_a_finite_gradient():
    memory = torch.zeros(1, 3, 4, requires_grad=True)
    orthogonality(memory).backward()
    assert bool(torch.isfinite(memory.grad).all())


def test_the_answer_loss_is_the_cross_entropy_of_the_tokens_that_count():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 7, generator=generator)
    targets = torch.tensor([[5, 2, PAD, PAD], [4, 3, 6, 2], [2, PAD, PAD, PAD]])
    nll = answer_nll(logits, targets, PAD)
    log_probabilities = logits.log_softmax(-1)
    by_hand = [
        -sum(log_probabilities[q, a, t].item() for a, t in enumerate(row) if t != PAD)
        for q, row in enumerate(targets.tolist())
    ]
    assert nll.tolist() == pytest.approx(by_hand, rel=1e-5)
    assert answer_loss(nll, targets, PAD).item() == pytest.approx(sum(by_hand) / 7, rel=1e-5)
    whole = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)
    torch.testing.assert_close(answer_loss(nll, targets, PAD), whole)


def test_what_stands_at_the_padding_does_not_matter():
    logits, targets = torch.randn(2, 3, 5), torch.tensor([[4, 2, PAD], [2, PAD, PAD]])
    changed = logits.clone()
    changed[targets == PAD] = 100.0
    assert torch.equal(answer_nll(logits, targets), answer_nll(changed, targets))


def test_a_batch_of_padding_alone_has_a_finite_loss():
    targets = torch.zeros(2, 3, dtype=torch.long)
    assert answer_loss(answer_nll(torch.randn(2, 3, 5), targets), targets).item() == 0.0


def test_a_pair_inside_the_margin_pulls_both_answers_apart_and_one_beyond_it_does_not():
    best = torch.tensor([-1.0, -0.1, -1.0], requires_grad=True)
    worst = torch.tensor([-0.5, -3.0, -1.05], requires_grad=True)
    loss = preference_loss(best, worst, margin=0.1)
    assert loss.tolist() == pytest.approx([0.6, 0.0, 0.05], abs=1e-6)
    loss.sum().backward()
    assert best.grad.tolist() == [-1.0, 0.0, -1.0]
    assert worst.grad.tolist() == [1.0, 0.0, 1.0]


def test_spreading_a_target_costs_the_mean_over_the_tokens_that_are_possible():
    logits = torch.tensor([[[2.0, 1.0, 0.0, -1e4], [0.0, 0.0, 0.0, -1e4]]])
    targets = torch.tensor([[1, 0]])  # the second is padding
    expected = -logits[0, 0, :3].log_softmax(-1).mean()
    assert spread_nll(logits, targets) == pytest.approx(expected.item())
    both = spread_nll(logits, torch.tensor([[1, 2]]))
    assert both.item() == pytest.approx(expected.item() + math.log(3))
