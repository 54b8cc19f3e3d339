from dataclasses import replace
from pathlib import Path

from latentvqa.core.estimates import Estimate
from latentvqa.history import History
from latentvqa.report.page.headline import headline_of, headline_of_log
from tests.report.evaluation.made import made_evaluation
from tests.report.evaluation.test_latent_use import arm
from tests.report.page.made import USE, WHOLE
from tests.runs import HEADER, make_epoch

SPACE = "\N{NO-BREAK SPACE}"


def said(found):
    return headline_of(found, "validation split").sentence.replace(SPACE, " ")


def log_of(*scores, best=None, header=HEADER):
    records = [
        replace(make_epoch(n, val={"exact_match": score}), best_epoch=best)
        for n, score in enumerate(scores)
    ]
    return History(header, tuple(records), (), Path("runs/demo/metrics.jsonl"))


def test_the_score_stands_beside_the_question_alone_and_another_image():
    found = headline_of(WHOLE, "validation split")
    assert [(bar.kind, bar.value) for bar in found.bars] == [
        ("score", 0.75),
        ("prior", 0.5),
        ("other", 0.35),
    ]
    assert found.bars[0].interval == "73.0 to 77.0"
    assert (found.bars[0].low_at, found.bars[0].at, found.bars[0].high_at) == (
        "73.00",
        "75.00",
        "77.00",
    )
    assert "the most frequent for the question's text" in found.bars[1].note
    assert "1,000 questions on 250 images, checkpoint 0009-00000100" in found.source


def test_one_sentence_says_what_they_amount_to():
    assert said(WHOLE) == (
        "75.0 % of the answers are right, 25.0 points more than from the question alone; "
        "with another image, 40.0 points fewer: the image matters."
    )


def test_what_the_data_do_not_show_is_not_said_to_be_so():
    near = replace(WHOLE, priors={"answers": 0.74})
    use = replace(USE, arms={"image_shuffled": arm(0.75, 0.005, 1.0, 0.1)}, images=1)
    assert said(replace(near, latent_use=use)) == (
        "75.0 % of the answers are right; the question alone gives 74.0 %, no clear difference "
        "on 1,000 questions; 1 image does not show that the image matters."
    )


def test_a_score_below_the_question_alone_is_said_to_be_below():
    assert "25.0 points fewer than from the question alone" in said(
        made_evaluation(priors={"answers": 1.0})
    )


def test_without_a_prior_or_an_exchange_the_score_stands_alone():
    found = headline_of(made_evaluation(priors={}), "x")
    assert len(found.bars) == 1
    assert found.sentence.replace(SPACE, " ") == "75.0 % of the answers are right."


def test_an_evaluation_of_one_image_has_no_interval():
    alone = made_evaluation(metrics={"exact_match": Estimate(0.75, None, None, 4)})
    assert headline_of(alone, "x").bars[0].interval == ""
    assert "25.0 points more than from the question alone" in said(alone)


def test_without_an_evaluation_the_best_epoch_of_the_log_is_shown():
    header = replace(HEADER, blind={"answers": {"nll": 1.0, "exact_match": 0.25}, "type": {}})
    found = headline_of_log(log_of(0.5, 0.75, 0.625, best=1, header=header))
    assert [(bar.kind, bar.value) for bar in found.bars] == [("score", 0.75), ("prior", 0.25)]
    assert "best epoch (1)" in found.source
    assert "last epoch (1)" in headline_of_log(log_of(0.5, 0.75)).source


def test_a_log_without_exact_match_has_no_headline():
    assert headline_of_log(log_of(None, float("nan"))) is None
    assert headline_of_log(log_of()) is None
