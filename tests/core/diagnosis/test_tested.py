"""One verdict from the log and the latent-use test; where they differ the test decides."""

from typing import get_args

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.latent_use import LatentUseVerdict, LatentUseWord
from latentvqa.core.rules.catalogue import RULES
from tests.runs import HEADER, make_run

USED, QUESTION_ONLY = "used, image and question", "used, question only"
IGNORED = {"answer_gain": 0.01}
COLLAPSED = {"answer_gain": 0.01, "information_bound": 0.3}
IMAGE_UNUSED = {"image_gain": 0.0, "image_gain_error": 0.01}


def judged(word, val=None, epochs=20):
    """The diagnosis of a run, healthy unless ``val`` says otherwise, with a test."""
    return diagnose(
        HEADER, make_run(epochs, val=val), test=LatentUseVerdict(word, f"Test: {word}.")
    )


def names(found):
    return {finding.name for finding in found.open_findings if finding.level != "ok"}


@pytest.mark.parametrize(
    ("word", "name", "level"),
    [
        ("bypassed", "latent_bypassed", "critical"),
        ("collapsed", "collapse", "critical"),
        ("presence only", "presence_only", "warning"),
        ("ignored", "latent_ignored", "warning"),
        (QUESTION_ONLY, "image_not_used", "warning"),
    ],
)
def test_what_the_log_does_not_show_the_test_does(word, name, level):
    found = judged(word)
    assert (found.verdict.code, found.verdict.level) == (name, level)
    assert found.verdict.sentence == f"Test: {word}."
    assert found.is_at_least(level)
    assert "--latent-use" not in found.next_step.sentence


@pytest.mark.parametrize("word", [USED, "undetermined", "not learnt"])
def test_a_healthy_log_stays_healthy_and_says_what_the_test_found(word):
    alone, found = diagnose(HEADER, make_run(20)), judged(word)
    assert found.verdict.level == alone.verdict.level == "ok"
    assert found.verdict.sentence == f"Test: {word}. {alone.verdict.sentence}"
    assert "--latent-use" in alone.next_step.sentence
    assert "--latent-use" not in found.next_step.sentence


def test_a_run_that_nothing_is_wrong_with_is_to_be_asked_or_tested_on_more_images():
    assert judged(USED).next_step.sentence == "Ask it: latentvqa demo RUN"
    assert judged("not learnt").next_step.sentence == ""
    few = LatentUseVerdict("undetermined", "Too few.", images_needed=900)
    step = diagnose(HEADER, make_run(20), test=few).next_step.sentence
    assert step.startswith("Test it on more images: latentvqa evaluate RUN --latent-use --data")


def test_what_the_test_alone_shows_is_said_once():
    found = judged("bypassed").verdict
    assert found.is_by_test and found.log == found.test.sentence == found.sentence
    assert not judged(USED).verdict.is_by_test


@pytest.mark.parametrize(
    ("word", "val", "refuted"),
    [
        (USED, IGNORED, "latent_ignored"),
        (USED, COLLAPSED, "collapse"),
        (USED, IMAGE_UNUSED, "image_not_used"),
        (QUESTION_ONLY, IGNORED, "latent_ignored"),
        (QUESTION_ONLY, COLLAPSED, "collapse"),
        ("bypassed", IMAGE_UNUSED, "image_not_used"),
    ],
)
def test_where_they_differ_the_test_wins_and_the_sentence_says_so(word, val, refuted):
    assert refuted in names(diagnose(HEADER, make_run(20, val=val)))
    found = judged(word, val)
    assert refuted not in names(found)
    assert not any(finding.is_open for finding in found.findings if finding.name == refuted)
    said = f"The log alone reads as {refuted.replace('_', ' ')}; the latent-use test decides."
    assert said in found.verdict.sentence
    assert found.verdict.sentence.count("Test: ") == 1


@pytest.mark.parametrize(
    ("word", "val", "name"),
    [
        ("ignored", IGNORED, "latent_ignored"),
        ("collapsed", COLLAPSED, "collapse"),
        (QUESTION_ONLY, IMAGE_UNUSED, "image_not_used"),
        ("undetermined", IMAGE_UNUSED, "image_not_used"),
        ("not learnt", IGNORED, "latent_ignored"),
    ],
)
def test_where_they_agree_or_the_test_is_open_the_log_speaks_first(word, val, name):
    alone, found = diagnose(HEADER, make_run(20, val=val)), judged(word, val)
    assert alone.verdict.code == found.verdict.code == name
    assert found.verdict.sentence == f"{alone.verdict.sentence} Test: {word}."


def test_memorised_answers_stay_the_verdict_whatever_the_latent_is_used_for():
    val = {"answer_gain": 0.01, "prior_nll": 1.6}
    log = make_run(20, train={"answer_gain": 1.5}, val=val)
    found = diagnose(HEADER, log, test=LatentUseVerdict(USED, "Test."))
    assert found.verdict.code == "memorised"
    assert found.verdict.sentence.endswith(" Test.")


def test_the_test_speaks_of_the_end_and_of_no_epoch_before():
    finding = next(f for f in judged("bypassed").findings if f.name == "latent_bypassed")
    assert finding.epochs == (19, 19)


def test_every_word_of_the_test_is_weighed():
    shown = {word for rule in RULES if rule.tested for word in rule.tested.shown_by}
    silent = {"used", "partly used"}  # of earlier versions' files
    assert shown | {USED, "undetermined", "not learnt"} | silent == set(get_args(LatentUseWord))
