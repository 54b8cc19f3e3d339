import pytest

from latentvqa.core.estimates import Estimate
from latentvqa.core.latent_use import LatentUseEvidence, judge_latent_use

ONE_BIT = 1e-9


def interval(value, low, high):
    return Estimate(value, low, high, 1000)


def evidence(**changes):
    values = {
        "score": 0.9,
        "prior": 0.5,
        "loss": interval(0.3, 0.25, 0.35),
        "image_loss": interval(0.3, 0.25, 0.35),
        "information_bound": 12.0,
        "answer_gain": 1.5,
        "answer_entropy": 1.7,
        "active_units": 300,
    }
    return LatentUseEvidence(**{**values, **changes})


def word(**changes):
    return judge_latent_use(evidence(**changes)).word


def test_an_exchange_that_takes_half_of_the_lead_shows_a_used_latent():
    assert word(loss=interval(0.2 + ONE_BIT, 0.15, 0.25)) == "used"
    assert word(loss=interval(0.2 - 1e-6, 0.15, 0.25)) == "partly used"


def test_a_large_loss_with_an_interval_over_zero_is_not_enough():
    assert word(loss=interval(0.3, ONE_BIT, 0.6)) == "used"
    assert word(loss=interval(0.3, 0.0, 0.6)) == "partly used"


def test_a_loss_below_one_point_that_may_be_zero_is_none():
    assert word(loss=interval(0.01 - ONE_BIT, -0.01, 0.02)) == "ignored"
    assert word(loss=interval(0.01, -0.01, 0.02)) == "partly used"
    assert word(loss=interval(0.005, 0.001, 0.009)) == "partly used"
    assert word(loss=interval(-0.004, -0.01, 0.002)) == "ignored"


def test_a_score_below_the_prior_is_never_a_used_latent():
    assert word(score=0.4, loss=interval(0.1, 0.05, 0.15)) == "partly used"


def test_an_ignored_latent_leaves_the_image_another_way_or_none():
    ignored = {"loss": interval(-0.0002, -0.01, 0.002)}
    around = judge_latent_use(evidence(**ignored)).sentence
    assert around.startswith("The latent is ignored: exchanging latents between images costs 0.0 ")
    assert around.endswith(
        "another image costs 30.0 points, so the image reaches the answers around the latent."
    )
    blind = judge_latent_use(evidence(**ignored, image_loss=interval(0.0, 0.0, 0.0))).sentence
    assert blind.endswith("another image costs 0.0 points, so the image is not used at all.")


def test_a_score_below_the_prior_is_said():
    found = judge_latent_use(evidence(score=0.45, loss=interval(0.0, 0.0, 0.0)))
    assert "the model is 5.0 points below the best image-blind prior" in found.sentence


def test_neither_room_nor_answers_is_a_collapse():
    low = {"information_bound": 0.85 - ONE_BIT, "answer_gain": 0.17 - ONE_BIT}
    assert word(**low) == "collapsed"
    assert word(**{**low, "information_bound": 0.85}) == "used"
    assert word(**{**low, "answer_gain": 0.17}) == "used"
    assert word(active_units=0, answer_gain=0.5) == "collapsed"


def test_what_was_learnt_around_an_empty_latent_is_no_collapse_but_a_detour():
    found = judge_latent_use(
        evidence(
            loss=interval(0.0, 0.0, 0.0), active_units=0, information_bound=0.1, answer_gain=1.5
        )
    )
    assert found.word == "ignored"
    assert "goes around it" in found.sentence


def test_without_a_gaussian_latent_the_exchange_alone_decides():
    nothing = {"information_bound": None, "answer_gain": None, "answer_entropy": None}
    assert word(**nothing) == "used"
    assert word(**nothing, active_units=0) == "collapsed"


@pytest.mark.parametrize("value", ["30.0", "25.0 to 35.0", "40.0"])
def test_the_sentence_holds_the_numbers_that_decide(value):
    assert value in judge_latent_use(evidence()).sentence


def test_the_loss_and_the_lead_that_it_is_compared_with_are_two_plain_numbers():
    found = judge_latent_use(evidence(score=0.969, loss=interval(0.549, 0.5, 0.6)))
    assert found.sentence == (
        "The latent is used: exchanging latents between images costs 54.9 points of exact match "
        "(50.0 to 60.0); the model's lead over the best image-blind prior is 46.9."
    )


def test_a_loss_without_ends_decides_nothing():
    assert word(loss=Estimate(0.3, None, None, 3)) == "partly used"
    assert word(loss=Estimate(0.0, None, None, 3)) == "partly used"
