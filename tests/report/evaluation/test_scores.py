import pytest
from rich.console import Console

from latentvqa.core.estimates import Estimate
from latentvqa.core.results.evaluation import SeenAnswers, TypeScores
from latentvqa.report.evaluation.scores import score_panel
from tests.report.evaluation.made import made_evaluation, share
from tests.report.evaluation.test_latent_use import FOUND


def rendered(found, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(score_panel(found, width))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_scores_priors_types_and_what_was_seen_stand_one_below_the_other():
    text = rendered(made_evaluation())
    assert text.startswith("""\
1,000 questions on 250 images

  measure                                  value      95 % interval
 ───────────────────────────────────────────────────────────────────
  exact match                            75.00 %   73.00 to 77.00 %
  answer loss (nats per answer)           1.2500   1.0000 to 1.5000
  without images: most frequent answer   30.00 %
  without images: per question text      50.00 %
  most that the words known allow        99.00 %


  type     questions   exact match      95 % interval   blind prior
 ───────────────────────────────────────────────────────────────────
  colour         600       90.00 %   88.00 to 92.00 %       50.00 %


  answer trained on   questions   exact match      95 % interval
 ────────────────────────────────────────────────────────────────
  0 times                    10       10.00 %    8.00 to 12.00 %
  1 to 9 times               90       60.00 %   58.00 to 62.00 %

+25.0 points over the best model without images (per question text, 50.0 %)
calibration error""")


def test_a_score_below_the_best_prior_is_a_minus():
    found = made_evaluation(metrics={"exact_match": share(0.45)})
    assert "-5.0 points over the best model without images (per question text, 50.0 %)" in rendered(
        found
    )


def test_a_run_without_known_models_is_compared_with_none():
    types = {"colour": TypeScores(share(0.9), None)}
    text = rendered(made_evaluation(priors={}, types=types))
    assert "not compared with image-blind models: none is known of this run" in text
    assert "points over" not in text


def test_what_was_not_measured_has_no_table():
    text = rendered(made_evaluation(types={}, seen_answers=None))
    for heading in ("   blind prior", "answer trained on", "seen in training"):
        assert heading not in text


def test_one_band_of_seen_answers_is_the_whole_table_and_not_shown_again():
    found = made_evaluation(seen_answers=SeenAnswers(1.0, {"10 or more": share(0.75)}))
    assert "answer trained on" not in rendered(found)


def test_a_measure_without_ends_is_of_one_image():
    found = made_evaluation(metrics={"exact_match": Estimate(0.5, None, None, 2)}, images=1)
    assert "one image" in rendered(found)


def test_the_latent_follows_where_it_was_examined():
    assert "The latent" not in rendered(made_evaluation())
    assert "The latent is used" in rendered(made_evaluation(latent_use=FOUND))


@pytest.mark.parametrize("width", [60, 80])
def test_no_figure_and_no_word_is_broken(width):
    exact = Estimate(1.0, 0.9877, 1.0, 214354)
    found = made_evaluation(
        types={"classification_of_abnormality": TypeScores(exact, 0.9871)},
        seen_answers=SeenAnswers(0.99, {"0": exact, "1000+": exact}),
    )
    text = rendered(found, width)
    for whole in ("classification_of_", "abnormality", "98.77 to 100.00 %", "98.71 %"):
        assert whole in text
    assert text.count("214,354") == 3


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_than_the_console(width):
    named = {"a type of a very long name " * 3: made_evaluation().types["colour"]}
    lines = rendered(made_evaluation(types=named, latent_use=FOUND), width).splitlines()
    assert max(map(len, lines)) <= width
