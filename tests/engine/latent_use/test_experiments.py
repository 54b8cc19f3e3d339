import numpy as np
import pytest

from latentvqa.core.results.latent_use import ANY_LATENTS, BASE, MATCHED, OTHER_LATENTS, ZERO
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.latent_use.experiments import examined_rows
from latentvqa.engine.metrics.map_divergence import mean_map_divergence
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from tests.corpus.faulty_runs import faulty_run
from tests.corpus.train_logs import RUNS
from tests.small_runs import train_small


def examined(run, extent="full"):
    table = validation_table(run)
    return evaluate(load_model(run), table, Observer(), run=run, latent_use=extent)


@pytest.fixture(scope="module")
def found(finished):
    return examined(finished.run)


def test_the_base_arm_is_what_evaluate_scores(found):
    base = found.result.latent_use.arms[BASE]
    assert base.exact_match == found.result.metrics["exact_match"]
    assert base.difference.value == base.flip_rate.value == 0.0


def test_the_sample_of_the_posterior_costs_what_the_validation_loss_does(found):
    sampled = found.result.latent_use.arms["posterior_sample"]
    assert sampled.answer_nll.value == pytest.approx(found.losses.answer_nll, rel=0.05)
    information = found.result.latent_use.information
    assert information.bound == pytest.approx(found.losses.capacity, rel=1e-6)
    assert information.answer_entropy == found.losses.prior_nll
    assert found.result.latent_use.active_units == found.losses.active_units


def test_attention_covers_the_patches_and_the_summary(found):
    attention, shown = found.examination.attention, found.result.latent_use.attention
    rows, tokens, places = attention.shape
    assert (rows, tokens) == (len(found.table), 6)
    assert places == shown.grid[0] * shown.grid[1] + 1
    np.testing.assert_allclose(attention.astype(float).sum(2), 1.0, atol=2e-3)
    np.testing.assert_allclose(attention.mean(0, dtype=float), shown.mean, atol=1e-6)
    table = found.table
    apart = mean_map_divergence(attention, table.image_index, table.questions)
    assert found.result.latent_use.map_divergence == apart > 0.0


def test_every_arm_and_measure_of_a_gaussian_model_is_there(found):
    used = found.result.latent_use
    tokens = [f"without_token_{token}" for token in range(6)]
    noise = [f"noise_{level}" for level in ("0.25", "0.5", "1", "2", "4")]
    assert list(used.arms) == [
        *(BASE, "image_shuffled", "posterior_sample", OTHER_LATENTS, ANY_LATENTS, MATCHED, ZERO),
        *("dataset_mean", "first_token_repeated", "random_of_same_length"),
        *("exchanged_0.25", "exchanged_0.5", "exchanged_0.75"),
        *("prior_sample", *noise, *tokens),
        *("image_blank", "question_shuffled", "question_blank"),
    ]
    assert sorted(used.token_ranking) == list(range(6))
    assert used.mutual_information.value <= used.mutual_information.log_n + 1e-9
    # the decoder sees the latent alone: with another image's it says what it says of that image
    assert used.arms[OTHER_LATENTS] == used.arms["image_shuffled"]
    assert used.followed_share in (None, 1.0)


def test_the_differences_are_paired_and_by_image(found):
    used = found.result.latent_use
    for arm in used.arms.values():
        expected = arm.exact_match.value - used.arms[BASE].exact_match.value
        assert arm.difference.value == pytest.approx(expected)
        assert arm.difference.low <= arm.difference.value <= arm.difference.high


def test_the_short_form_comes_to_the_same_verdict(finished, found):
    short = examined(finished.run, "short").result.latent_use
    assert list(short.arms) == [
        *(BASE, "image_shuffled", "posterior_sample", OTHER_LATENTS, ANY_LATENTS, MATCHED, ZERO)
    ]
    assert short.verdict == found.result.latent_use.verdict
    assert short.mutual_information is None
    assert short.attention is None
    assert short.map_divergence == found.result.latent_use.map_divergence


@pytest.mark.parametrize("kind", ["deterministic", "none"])
def test_the_controls_are_examined_as_far_as_they_have_a_latent(kind, tmp_path):
    run = train_small(tmp_path / "run", f"latent.bottleneck={kind}", "stages.full=0").run
    used = examined(run).result.latent_use
    assert "posterior_sample" not in used.arms
    assert "image_blank" in used.arms
    assert used.mutual_information is None
    if kind == "none":
        assert used.verdict is None
        assert used.token_ranking == ()
        assert used.movement == {}
    else:
        assert used.verdict is not None
        assert {OTHER_LATENTS, "dataset_mean", "without_token_5"} <= used.arms.keys()


def test_a_large_table_is_examined_on_whole_images(finished):
    table = validation_table(finished.run)
    rows = examined_rows(table, len(table) // 2)
    assert len(rows) < len(table)
    images = table.image_index[rows]
    for image in np.unique(images):
        assert (images == image).sum() == (table.image_index == image).sum()


def test_the_rows_keep_their_numbers_in_the_file(found):
    np.testing.assert_array_equal(found.examination.rows, found.table.rows)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "word"),
    [
        # no answer changes under any exchange, and 20 images cannot show that none would
        ("bypass", "undetermined"),
        ("free-bits-zero-weight-thousandfold", "collapsed"),
    ],
)
def test_a_model_trained_with_a_fault_gets_the_word_for_it(name, word, tmp_path_factory):
    run = faulty_run(name, tmp_path_factory.getbasetemp())
    fault = RUNS[name][1]
    if fault is None:
        used = examined(run)
    else:
        with fault():
            used = examined(run)
    assert used.result.latent_use.verdict.word == word, used.result.latent_use.verdict.sentence
    # the short form at the end of training may not contradict it
    if fault is None:
        assert examined(run, "short").result.latent_use.verdict.word == word
