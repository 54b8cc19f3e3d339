from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from tests.runs import HEADER, KL, make_epoch, make_run

NEED = 1.7


def account(header=HEADER, **changes):
    """Value and meaning of every measure of one epoch, by name."""
    lines = diagnose(header, [make_epoch(0, **changes)]).account
    return {line.name: (line.value, line.meaning) for line in lines}


def test_every_measure_of_a_healthy_run_stands_with_its_meaning():
    assert account(beta=0.5) == {
        "rate": (
            "19.2 nats (27.7 bits)",
            "What the loss pays for, per example, 11.3 times what the answers need.",
        ),
        "beta": (
            "0.5 per nat",
            "A nat of rate costs as much as 0.5 nats of answer loss once free bits are used up.",
        ),
        "answers need": ("1.7 nats", "The information the answers need, were they all learnt."),
        "learnt": (
            "1.6 nats",
            "94.1 % of what the answers need, enough to call them learnt.",
        ),
        "by the image": (
            "1 nats",
            "What is learnt beyond the best model that sees no image.",
        ),
        "capacity": (
            "5.3 nats at t = 0.5",
            "The most that the latent can carry to the decoder, 3.12 times what the answers need.",
        ),
    }


@pytest.mark.parametrize(
    ("gain", "bound", "meaning"),
    [
        (0.85, 12.0, "50 % of what the answers need, enough to call them learnt."),
        (0.84, 12.0, "49.4 % of what the answers need, not learnt yet."),
        (-0.2, 12.0, "0 % of what the answers need, not learnt yet."),
        (1.6, 0.3, "94.1 % of what the answers need, more than the latent can have carried."),
    ],
)
def test_the_gain_says_whether_the_answers_came_through_the_latent(gain, bound, meaning):
    seen = account(val={"answer_gain": gain, "information_bound": bound})
    assert seen["learnt"][1] == meaning


def test_without_a_need_nothing_is_compared_with_it():
    seen = account(val={"answer_entropy": 0.0, "temperature": None}, beta=2.0)
    assert set(seen) == {"rate", "beta", "capacity"}
    assert seen["rate"][1] == "What the loss pays for, per example."
    assert seen["capacity"] == (
        "5.3 nats at t = 0.5",
        "The most that the latent can carry to the decoder.",
    )


def test_the_training_rate_stands_in_where_validation_has_none():
    assert account(val={"rate": None}, train={"rate": 8.0})["rate"][0] == "8 nats (11.5 bits)"


def test_the_price_is_plain_without_free_bits():
    free = replace(HEADER, kl=replace(KL, free_bits=0.0))
    assert account(free, beta=3.0)["beta"][1] == (
        "A nat of rate costs as much as 3 nats of answer loss."
    )


@pytest.mark.parametrize("bottleneck", ["deterministic", "none"])
def test_without_a_gaussian_latent_only_the_answers_are_accounted_for(bottleneck):
    header = replace(HEADER, kl=replace(KL, bottleneck=bottleneck))
    assert set(account(header, beta=1.0)) == {"answers need", "learnt", "by the image"}


def test_values_that_are_not_finite_are_left_out():
    assert "rate" not in account(val={"rate": float("nan")}, train={"rate": float("inf")})


def test_the_account_is_that_of_the_last_epoch():
    records = make_run(3, lambda n: {"val": {"answer_gain": 0.1 * n}})
    line = next(line for line in diagnose(HEADER, records).account if line.name == "learnt")
    assert line.value == "0.2 nats"
