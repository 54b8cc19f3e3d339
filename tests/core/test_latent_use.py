from dataclasses import replace

import pytest

from latentvqa.core.exchanges import Exchange, ExchangeLimits, Span
from latentvqa.core.latent_use import LatentUseEvidence, judge_latent_use

BIT = 1e-9


def span(value, half):
    return Span(value, value - half, value + half, value - 0.84 * half, value + 0.84 * half)


def exchange(cost, half=0.02, flips=None, nats=None):
    flips = abs(cost) if flips is None else flips
    nats = 3.0 * cost if nats is None else nats
    return Exchange(span(cost, half), span(nats, 0.01), flips)


SAME = Exchange(span(0.0, 0.05), span(0.0, 0.0), 0.0, is_identical=True)
NONE = exchange(0.0, half=0.005)
LEVEL = span(0.0, 0.02)  # no better than without an image


def evidence(**changes):
    held = LatentUseEvidence(
        lead=span(0.4, 0.02),
        images=200,
        zero=exchange(0.6),
        any_example=exchange(0.6),
        matched=exchange(0.6),
        other_image=exchange(0.4),
        shown_image=exchange(0.4),
        followed=1.0,
        active_units=300,
        capacity=3.6,
        gain=1.5,
        need=1.7,
    )
    return replace(held, **changes)


def word(**changes):
    return judge_latent_use(evidence(**changes)).word


def test_a_latent_through_which_the_image_speaks_is_used():
    found = judge_latent_use(evidence())
    assert found.word == "used, image and question"
    assert found.sentence == (
        "The latent is used: exchanging it for that of the same question about another image costs "
        "40.0 points (38.0 to 42.0); the score is 40.0 points above the best image-blind model. "
        "100 % of the answers that change become the answer about that image."
    )


def test_half_of_the_lead_must_be_paid_unless_the_image_is_worth_no_more():
    part = {"other_image": exchange(0.2 - 1e-6), "shown_image": exchange(0.4)}
    assert word(**part) == "bypassed"
    assert word(other_image=exchange(0.2 + 1e-6), shown_image=exchange(0.4)) == (
        "used, image and question"
    )
    # the image is worth less than the lead, and all of it passes the latent
    assert word(other_image=exchange(0.1), shown_image=exchange(0.1)) == "used, image and question"


def test_answers_that_do_not_follow_the_other_image_came_another_way():
    assert word(followed=0.5) == "used, image and question"
    assert word(followed=0.5 - BIT) == "bypassed"
    assert word(followed=None) == "used, image and question"


def test_a_latent_of_the_question_alone_is_told_apart():
    blind = {"other_image": SAME, "shown_image": SAME, "lead": LEVEL}
    found = judge_latent_use(evidence(**blind))
    assert found.word == "used, question only"
    assert "changes no answer (margin 1.0 points)" in found.sentence
    assert word(other_image=NONE, shown_image=NONE) == "used, question only"


def test_an_image_that_the_latent_lacks_goes_around_it():
    assert word(other_image=NONE) == "bypassed"
    assert word(any_example=NONE, matched=NONE, zero=NONE) == "bypassed"


def test_an_image_worth_more_than_the_latent_can_cost_goes_around_it_whatever_else_is_open():
    open_ones = {"other_image": exchange(0.003, half=0.02), "shown_image": exchange(0.4)}
    found = judge_latent_use(evidence(**open_ones, any_example=exchange(0.003, half=0.02)))
    assert found.word == "bypassed"
    assert found.sentence.startswith("The image, or most of it, goes around the latent: another")
    assert word(**open_ones) == "bypassed"
    # the exchange could cost half of the lead, or as much as the image
    assert word(**open_ones, lead=span(0.046, 0.02)) == "undetermined"
    assert word(**open_ones | {"shown_image": exchange(0.04, half=0.02)}) == "undetermined"


def test_zeros_that_hurt_where_other_latents_do_not_show_presence_alone():
    kept = {"any_example": NONE, "matched": NONE, "other_image": NONE, "shown_image": NONE}
    assert word(**kept) == "presence only"
    assert word(**kept, zero=NONE) == "ignored"


def test_a_wide_interval_decides_nothing_and_says_how_many_images_would():
    wide = exchange(0.02, half=0.05)
    found = judge_latent_use(evidence(other_image=wide, shown_image=wide))
    assert found.word == "undetermined"
    assert found.images_needed == 1250  # (0.05 / 0.02) ** 2 times as many
    assert "About 1,250 images would tell" in found.sentence
    few = judge_latent_use(replace(evidence(other_image=wide, shown_image=wide), images=3))
    assert few.images_needed == 20
    assert word(any_example=wide) == "undetermined"
    closed = {"any_example": NONE, "zero": NONE}
    assert word(**closed, shown_image=wide) == "undetermined"


@pytest.mark.parametrize(
    ("cost", "half", "flips", "nats", "expected"),
    [
        (0.0, 0.0119, 0.0, 0.0, "used, question only"),  # the 90 % interval is just inside
        (0.0, 0.0120, 0.0, 0.0, "undetermined"),
        (0.005, 0.004, 0.0, 0.0, "used, question only"),  # surely a loss, surely a small one
        (0.0, 0.005, 0.05, 0.0, "used, question only"),
        (0.0, 0.005, 0.05 + BIT, 0.0, "undetermined"),
        (0.0, 0.005, 0.0, 0.0416, "used, question only"),
        (0.0, 0.005, 0.0, 0.0417, "undetermined"),
        (0.0, 0.005, 0.3, 0.5, "undetermined"),  # wrong answers change, too
    ],
)
def test_an_exchange_is_harmless_only_where_its_whole_effect_is(cost, half, flips, nats, expected):
    tried = exchange(cost, half, flips, nats)
    assert word(other_image=tried, shown_image=tried, lead=LEVEL) == expected


def test_the_margin_is_a_threshold():
    limits = ExchangeLimits(margin=0.03)
    tried = exchange(0.0, half=0.02)
    held = evidence(other_image=tried, shown_image=tried)
    assert judge_latent_use(held).word == "undetermined"
    assert judge_latent_use(held, limits).word == "used, question only"


def test_collapse_needs_an_empty_latent_and_nothing_learnt():
    assert word(active_units=0, gain=0.1) == "collapsed"
    assert word(capacity=0.85 - BIT, gain=0.17 - BIT) == "collapsed"
    assert word(capacity=0.85, gain=0.17 - BIT) == "used, image and question"
    assert word(active_units=0, gain=1.5) == "used, image and question"  # never at full gain


def test_a_model_that_knows_frequencies_only_has_learnt_nothing():
    assert word(gain=0.1, lead=LEVEL) == "not learnt"
    assert word(gain=0.17, lead=LEVEL) == "used, image and question"
    assert word(gain=None, lead=LEVEL) == "used, image and question"


def test_a_lead_speaks_against_it_only_where_it_is_more_than_chance_and_than_the_margin():
    assert word(gain=0.1, lead=span(0.02, 0.02 - BIT)) == "used, image and question"
    assert word(gain=0.1, lead=span(0.02, 0.02)) == "not learnt"
    assert word(gain=0.1, lead=span(0.01, 0.005)) == "used, image and question"
    assert word(gain=0.1, lead=span(0.01 - BIT, 0.005)) == "not learnt"


def test_an_image_that_moves_answers_without_making_more_of_them_right_is_not_called_used():
    """As measured on 428 questions about radiology photographs."""
    other = Exchange(Span(0.016, -0.017, 0.050, -0.012, 0.044), span(0.29, 0.1), 0.34)
    seen = {"other_image": other, "shown_image": other, "lead": span(-0.019, 0.05), "images": 62}
    found = judge_latent_use(evidence(any_example=exchange(0.21), **seen))
    assert found.word == "undetermined"
    assert "changes 34 % of them and costs 0.29 nats each" in found.sentence
    assert "costs 1.6 points (-1.7 to 5.0)" in found.sentence
    assert "1.9 points below the best image-blind model" in found.sentence
    assert found.images_needed > 62
    assert "62 images cannot tell" in found.sentence
    level = replace(other, cost=span(0.0, 0.005))
    found = judge_latent_use(evidence(**{**seen, "other_image": level}))
    assert (found.word, found.images_needed) == ("undetermined", None)
    assert "It makes no more of them right (margin 1.0 points)" in found.sentence
    surely = replace(other, cost=Span(0.03, 0.001, 0.06, 0.006, 0.055))
    assert word(any_example=exchange(0.21), **{**seen, "other_image": surely}) == (
        "used, image and question"
    )
