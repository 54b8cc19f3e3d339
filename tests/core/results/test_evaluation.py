from dataclasses import fields

from latentvqa.core.records import SplitMetrics
from latentvqa.core.results.evaluation import Losses
from tests.report.evaluation.made import made_evaluation


def test_the_losses_are_those_of_the_pass_by_name():
    numbers = {item.name: place for place, item in enumerate(fields(Losses), start=1)}
    found = Losses.of(SplitMetrics(rows=9, exact_match=0.5, **numbers))
    assert {name: getattr(found, name) for name in numbers} == numbers


def test_what_the_pass_does_not_have_stays_absent():
    assert Losses.of(SplitMetrics(answer_loss=0.3)) == Losses(answer_loss=0.3)


def test_the_best_prior_is_the_one_of_the_most_matches():
    found = made_evaluation(priors={"global": 0.3, "question_text": 0.5, "type": 0.4})
    assert found.best_prior == ("question_text", 0.5)
    assert made_evaluation(priors={}).best_prior is None
