from dataclasses import replace

import pytest

from latentvqa.core.rules.information import (
    are_answers_learnt,
    has_leak,
    information_of,
    is_image_unused,
    is_learning_overdue,
    is_memorised,
    is_score_ahead,
)
from latentvqa.core.rules.rule import views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.found import info
from tests.runs import HEADER, make_run


def last(epochs=12, **val):
    return views(HEADER, make_run(epochs, val=val), KLHealthThresholds())[-1]


def test_a_constant_answer_needs_no_information():
    assert information_of(last(answer_entropy=0.0)).need is None
    assert information_of(last(temperature=None)).temperature == 0.5


@pytest.mark.parametrize(
    ("val", "expected"),
    [
        (info(12.0, 1.6), True),
        (info(12.0, 0.8), False),
        (info(0.3, 1.6), False),
        (info(None, 1.6), True),
        (info(12.0, None), None),
    ],
)
def test_answers_are_learnt_where_the_latent_can_have_carried_them(val, expected):
    assert are_answers_learnt(last(**val)) is expected


@pytest.mark.parametrize(
    ("epochs", "gain", "expected"), [(11, 0.3, True), (10, 0.3, False), (11, 1.6, False)]
)
def test_learning_is_overdue_from_the_tuning_epoch_on(epochs, gain, expected):
    assert is_learning_overdue(last(epochs, answer_gain=gain)) is expected


def test_learning_is_not_overdue_where_the_log_cannot_say_it():
    assert not is_learning_overdue(last(answer_gain=None))


def test_a_leak_needs_a_temperature():
    assert has_leak(last(**info(0.5, 1.6)))
    assert not has_leak(last(**info(0.5, 1.6, temperature=0.0)))
    assert not has_leak(last(**info(None, 1.6)))


def with_blind(images, header=HEADER):
    """A header whose best model without images has 40 % right, on so many images."""
    shares = {"answers": {"exact_match": 0.2}, "type": {"exact_match": 0.4}}
    return replace(header, blind=shares, data={"val": {"images": images}})


def scored(share, images=100, **changes):
    val = {"exact_match": share, **changes.pop("val", {})}
    records = make_run(12, val=val, **changes)
    return views(with_blind(images), records, KLHealthThresholds())[-1]


def test_a_score_is_ahead_beyond_what_chance_gives_as_many_images():
    # two standard errors of the difference are 13.9 points on 100 images, 4.4 on 1,000
    assert is_score_ahead(scored(0.54))
    assert not is_score_ahead(scored(0.53))
    assert is_score_ahead(scored(0.45, images=1000))
    assert not is_score_ahead(scored(0.44, images=1000))


@pytest.mark.parametrize(("blind", "data"), [({}, {"val": {"images": 100}}), (None, {})])
def test_a_score_is_not_ahead_where_the_log_cannot_compare_it(blind, data):
    known = with_blind(100).blind if blind is None else blind
    header = replace(HEADER, blind=known, data=data)
    view = views(header, make_run(12), KLHealthThresholds())[-1]
    assert not is_score_ahead(view)


def test_a_model_too_sure_of_its_mistakes_is_not_called_unlearnt():
    unsure = {"val": info(12.0, 0.3, prior_nll=1.7, image_gain=0.01)}
    assert is_image_unused(scored(0.4, **unsure))
    assert not is_image_unused(scored(0.6, **unsure))
    overfitted = {"train": {"answer_gain": 1.6}, "val": info(12.0, -0.4, prior_nll=1.7)}
    assert is_memorised(scored(0.4, **overfitted))
    assert not is_memorised(scored(0.6, **overfitted))
