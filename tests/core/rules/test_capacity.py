import math
from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.records import StagePlan
from latentvqa.core.rules.information import information_of
from latentvqa.core.rules.rule import views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.core.rules.found import NEED, found, info
from tests.runs import HEADER, KL, make_run


@pytest.mark.parametrize(
    ("gain", "error", "is_found"),
    [(1.051, 0.0, True), (1.049, 0.0, False), (1.21, 0.1, True), (1.19, 0.1, False)],
)
def test_a_leak_is_more_gain_than_the_bound_allows(gain, error, is_found):
    records = make_run(6, val=info(1.0, gain, answer_nll_error=error))
    assert (found("leak", records) is not None) is is_found


def test_a_leak_is_not_judged_at_temperature_zero_or_without_a_gaussian():
    leaky = info(0.5, 1.6, temperature=0.0)
    diagnosis = diagnose(HEADER, make_run(6, val=leaky))
    assert all(finding.name != "leak" for finding in diagnosis.findings)
    assert any("leak" in line and "temperature 0" in line for line in diagnosis.not_judged)
    header = replace(HEADER, kl=replace(KL, bottleneck="none"))
    assert found("leak", make_run(6, val=info(0.5, 1.6)), header) is None


@pytest.mark.parametrize(
    ("gain", "epochs", "level"),
    [(0.09 * NEED, 11, "warning"), (0.09 * NEED, 10, "info"), (0.11 * NEED, 11, None)],
)
def test_the_latent_is_ignored_where_it_could_carry_what_is_not_learnt(gain, epochs, level):
    finding = found("latent_ignored", make_run(epochs, val=info(12.0, gain)))
    assert (finding and finding.level) == level


@pytest.mark.parametrize(
    ("bound", "name", "is_found"),
    [
        (1.49 * NEED, "capacity_near_need", True),
        (1.51 * NEED, "capacity_near_need", False),
    ],
)
def test_capacity_is_compared_with_the_need(bound, name, is_found):
    finding = found(name, make_run(12, val=info(bound)))
    assert (finding is not None) is is_found
    assert not is_found or finding.level == "info"


def test_a_narrow_latent_that_has_not_learnt_is_a_warning():
    finding = found("capacity_near_need", make_run(12, val=info(1.2 * NEED, 0.4 * NEED)))
    assert finding.level == "warning"


def test_missing_information_is_said():
    nothing = {"answer_entropy": None, "answer_gain": None, "information_bound": None}
    diagnosis = diagnose(HEADER, make_run(12, val={**nothing, "active_units": None}))
    assert any("collapse" in line and "holds no" in line for line in diagnosis.not_judged)
    assert "does not say whether the latent is used" in diagnosis.verdict.sentence


def learnt(train, val, **more):
    """Gains over the answer prior, which costs what the answers need."""
    return {"train": {"answer_gain": train}, "val": info(12.0, val, prior_nll=NEED, **more)}


def test_answers_known_by_heart_are_memorised_and_never_called_ignored():
    records = make_run(12, **learnt(1.6, -0.4))
    seen = found("memorised", records)
    assert seen.sentence == (
        "The training answers are memorised: 1.6 nats of them are learnt, but none of the 1.7 "
        "that validation answers need."
    )
    diagnosis = diagnose(HEADER, records)
    assert diagnosis.verdict.code == "memorised"
    assert diagnosis.next_step.advice is None
    assert "more images" in diagnosis.next_step.sentence
    assert not any(finding.name == "latent_ignored" for finding in diagnosis.findings)
    assert found("memorised", make_run(12, **learnt(0.4, 0.1))) is None


@pytest.mark.parametrize("kind", ["gaussian", "deterministic", "none"])
def test_a_model_of_the_question_alone_is_named_whatever_its_bottleneck(kind):
    header = replace(HEADER, kl=replace(KL, bottleneck=kind))
    records = make_run(12, **learnt(1.2, 1.1, image_gain=0.01, image_gain_error=0.02))
    assert found("image_not_used", records, header).level == "warning"
    seen = make_run(12, **learnt(1.2, 1.1, image_gain=0.5, image_gain_error=0.02))
    assert found("image_not_used", seen, header) is None


def test_a_finished_run_is_not_asked_to_wait():
    short = replace(HEADER, stages=StagePlan(0, 4, 2))
    records = make_run(6, **learnt(1.2, 1.1, image_gain=0.0))
    assert found("image_not_used", records, short).level == "warning"
    assert found("image_not_used", records[:5], short).level == "info"
    stopped = [*records[:3], replace(records[3], patience_used=5)]
    assert found("image_not_used", stopped, replace(short, patience=5)).level == "warning"


def test_the_first_epochs_of_a_plan_are_too_early_to_call_answers_memorised():
    records = make_run(6, **learnt(1.6, -0.4))
    early, due = found("memorised", records[:5]), found("memorised", records)
    assert (early.level, early.is_early) == ("info", True)
    assert (due.level, due.is_early) == ("warning", False)
    assert early.sentence.startswith(
        "Too early to judge (after 5 of 50 epochs). The training answers are memorised so far: 1.6"
    )
    assert found("memorised", records[:5], replace(HEADER, versions={})).level == "warning"


def test_the_score_is_not_doubted_before_the_image_had_its_epochs():
    records = make_run(11, **learnt(1.2, 1.1, image_gain=0.0))
    early, due = found("image_not_used", records[:10]), found("image_not_used", records)
    assert early.sentence.startswith("Too early to judge (after 10 of 50 epochs). The image is")
    assert "not seen to be used yet" in early.sentence
    assert "The score says nothing" not in early.sentence
    assert due.sentence.endswith("The score says nothing about the images.")


def test_a_model_that_no_image_reaches_needs_no_measure_for_it():
    blind = replace(HEADER, sees_images=False)
    seen = found("image_not_used", make_run(12, **learnt(1.2, 1.1)), blind)
    assert "No image reaches the model" in seen.sentence
    diagnosis = diagnose(HEADER, make_run(12, **learnt(1.2, 1.1, image_gain=None)))
    assert any("image not used" in text and "see no image" in text for text in diagnosis.not_judged)


def test_a_latent_can_carry_no_more_than_the_rows_can_show():
    few = {"rows": 20, "capacity": 60.0}
    records = make_run(12, **learnt(1.2, 1.5, **few))
    assert information_of(views(HEADER, records, KLHealthThresholds())[-1]).bound == pytest.approx(
        math.log(20)
    )
    assert found("capacity_near_need", make_run(12, **learnt(1.2, 1.5, rows=8))) is None


def test_a_leak_is_measured_by_the_entropy_of_the_rows_and_not_by_the_prior():
    # a prior that misjudges the rows makes a large gain, and no leak
    misjudged = info(1.0, 1.6, prior_nll=2.2, answer_entropy=1.0, answer_nll=0.6)
    assert found("leak", make_run(6, val=misjudged)) is None
    leaky = info(0.2, 1.6, prior_nll=2.2, answer_entropy=1.0, answer_nll=0.6)
    assert found("leak", make_run(6, val=leaky)) is not None


@pytest.mark.parametrize(
    ("rate", "temperature", "is_found"), [(0.5, 1.0, True), (2.0, 1.0, False), (0.5, 0.5, False)]
)
def test_where_no_bound_is_logged_the_rate_is_one_at_temperature_one(rate, temperature, is_found):
    val = info(None, 1.5, rate=rate, temperature=temperature)
    assert (found("leak", make_run(6, val=val)) is not None) is is_found
