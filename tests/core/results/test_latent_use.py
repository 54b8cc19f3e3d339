from latentvqa.core.estimates import Estimate
from latentvqa.core.results.latent_use import Arm, rank_tokens


def arm(score, nll):
    exact, nats, none = (Estimate(value, None, None, 9) for value in (score, nll, 0.0))
    return Arm(exact, nats, none, none)


def test_the_token_whose_removal_costs_most_comes_first_and_ties_go_by_loss():
    arms = {
        "posterior_mean": arm(0.9, 0.1),
        "without_token_0": arm(0.8, 0.2),
        "without_token_1": arm(0.8, 0.4),
        "without_token_2": arm(0.5, 0.3),
    }
    assert rank_tokens(arms, 3) == (2, 1, 0)


def test_tokens_that_were_not_removed_have_no_rank():
    assert rank_tokens({"posterior_mean": arm(0.9, 0.1)}, 3) == ()
