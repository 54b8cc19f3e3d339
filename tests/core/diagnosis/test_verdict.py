from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.verdict import NextStep, place_of
from latentvqa.core.records import KLConvention, RunHeader
from latentvqa.core.rules.catalogue import RULES
from latentvqa.core.rules.rule import LEVELS, Advice, Finding
from tests.runs import HEADER, KL, make_epoch, make_run


def test_collapse_speaks_before_the_teacher_and_divergence_before_collapse():
    sick = {"information_bound": 0.5, "answer_gain": 0.1}
    records = make_run(20, val=sick, train={"teacher_loss": 0.0}, teacher=None)
    diagnosis = diagnose(HEADER, records)
    assert diagnosis.verdict.code == "collapse"
    assert [f.name for f in diagnosis.open_findings[:2]] == ["collapse", "teacher_idle"]
    torn = make_epoch(20, val={**sick, "total_loss": float("nan")})
    assert diagnose(HEADER, [*records, torn]).verdict.code == "divergence"


TARGETS_HOLD = (
    "The rule-of-thumb checks hold: KL targets (KL002). Trust the information: a KL inside its "
    "band does not say that the KL is about the answers."
)


def test_where_the_answers_are_learnt_the_checks_on_the_kl_are_not_to_be_trusted():
    diagnosis = diagnose(
        HEADER, make_run(14, train={"kl_raw": 0.005, "kl_after": 0.003, "total_loss": None})
    )
    assert diagnosis.disagreement == (
        "The rule-of-thumb checks say otherwise: KL near 0 (KL001), KL targets (KL002), KL low "
        "after the warm-up (KL006). Trust the information: they look at the KL alone."
    )


@pytest.mark.parametrize(
    ("name", "val"),
    [
        ("latent_ignored", {"answer_gain": 0.01}),
        ("collapse", {"answer_gain": 0.01, "information_bound": 0.3}),
        ("leak", {"answer_gain": 1.6, "information_bound": 0.3}),
    ],
)
def test_where_the_latent_fails_a_healthy_kl_is_not_to_be_trusted(name, val):
    diagnosis = diagnose(HEADER, make_run(14, val=val))
    assert diagnosis.verdict.code == name
    assert diagnosis.disagreement == TARGETS_HOLD


@pytest.mark.parametrize(
    "changes",
    [
        {},  # both say that all is well
        {"train": {"kl_raw": 0.3}, "val": {"answer_gain": 0.01}},  # both say that it is not
        {"train": {"kl_raw": 0.3}, "val": {"answer_gain": None}},  # no information to trust
    ],
)
def test_where_checks_and_information_agree_or_one_is_silent_nothing_is_said(changes):
    assert diagnose(HEADER, make_run(14, **changes)).disagreement == ""


def test_findings_stand_by_openness_then_level_then_rank():
    made = [
        Finding(rule.code, rule.name, level, "", (0, 0), is_open)
        for rule in RULES
        for level in LEVELS
        for is_open in (True, False)
    ]
    codes = [rule.code for rule in RULES]
    order = sorted(made, key=place_of)
    assert order == sorted(
        made, key=lambda f: (not f.is_open, LEVELS[::-1].index(f.level), codes.index(f.code))
    )


def step(header=HEADER, **changes):
    return diagnose(header, make_run(14, **changes)).next_step


def test_the_first_change_that_a_finding_advises_is_the_next_step():
    gone = {"answer_gain": 0.01, "information_bound": 0.3}
    dear = replace(HEADER, kl=replace(KL, factor=20.0))
    advised = Advice("kl.factor", 20.0, 0.26)
    assert step(dear, val=gone) == NextStep("", advised, "collapse", is_own=True)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Confirm it: latentvqa evaluate RUN --latent-use"),
        ({"kl_weight": 5.0}, "Let the warm-up end before the KL is judged."),
        (
            {"val": {"information_bound": 0.3}},
            "See what the decoder really uses: latentvqa evaluate RUN --latent-use",
        ),
        (
            {"train": {"kl_raw": -0.1, "kl_after": 0.0}},
            "Read what it means: latentvqa diagnose-kl --explain LG004",
        ),
        (
            {"train": {"answer_loss": 1.7, "total_loss": 1.805}},
            "Look at the learning rates, and whether ten examples can be overfitted.",
        ),
    ],
)
def test_without_advice_the_next_step_follows_from_what_leads(changes, sentence):
    assert step(**changes) == NextStep(sentence, is_own=True)


def test_a_log_of_unknown_convention_is_asked_for_it():
    header = RunHeader(kl=KLConvention(unknown=("reduction", "tokens")))
    assert step(header).sentence == (
        "Say how the KL was made: --set kl.reduction=... --set latent.tokens=..."
    )


def test_an_image_that_is_worth_less_than_nothing_is_worth_none():
    found = diagnose(HEADER, make_run(5, val={"image_gain": -0.2, "answer_gain": 1.6}))
    assert ", none of them by the image;" in found.verdict.sentence
    found = diagnose(HEADER, make_run(5, val={"image_gain": -0.2, "answer_gain": 0.5}))
    assert "0.5 are learnt, none by the image." in found.verdict.sentence
