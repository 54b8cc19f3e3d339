import json
import shutil

import numpy as np
import pytest
import torch

from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.engine.evaluation.calibration import calibrated_temperature, fit_logit_temperature
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.metrics.confidence import judge_confidence
from latentvqa.engine.runs.checkpoint import load_checkpoint, write_calibration
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import CheckpointError


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished.run, tmp_path / "run")


def answers_of(rows, length, scale=3.0, seed=0):
    """Greedy answers of a made-up decoder: logits of their tokens, tokens, lengths."""
    logits = scale * torch.randn(rows * length, 8, generator=torch.Generator().manual_seed(seed))
    return logits, logits.argmax(-1), torch.full((rows,), length)


def probabilities(logits, tokens, lengths, temperature=1.0):
    gained = (logits / temperature).log_softmax(-1).gather(1, tokens[:, None])[:, 0]
    return gained.reshape(len(lengths), -1).sum(1).exp().double().numpy()


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("truth", [0.6, 1.0, 2.5])
def test_the_temperature_at_which_whole_answers_are_right_as_often_as_they_say_is_found(
    truth, length
):
    answers = answers_of(8_000, length)
    draws = np.random.default_rng(0)
    is_right = (draws.random(8_000) < probabilities(*answers, truth)).astype(float)
    assert calibrated_temperature(*answers, is_right) == pytest.approx(truth, rel=0.07)


@pytest.mark.parametrize("rows", [5, 50, 1_600])
@pytest.mark.parametrize("scale", [0.5, 3.0, 9.0])
def test_rows_without_a_mistake_never_make_a_model_surer(rows, scale):
    found = calibrated_temperature(*answers_of(rows, 2, scale), np.ones(rows))
    assert found >= 1.0


def test_one_mistake_among_sure_answers_does_not_run_to_an_end():
    answers = answers_of(100, 1, scale=30.0)
    is_right = np.ones(100)
    is_right[3] = 0.0
    assert 0.2 < calibrated_temperature(*answers, is_right) < 5.0
    assert 0.2 < calibrated_temperature(*answers_of(2, 1), np.array([1.0, 0.0])) < 5.0


def test_a_fitted_temperature_does_not_touch_the_ranking_of_rows_that_are_harder():
    # right on every validation row, then asked where it errs
    fitted = calibrated_temperature(*answers_of(500, 2, scale=6.0), np.ones(500))
    harder = answers_of(2_000, 2, scale=1.5, seed=1)
    plain = probabilities(*harder)
    is_right = (np.random.default_rng(2).random(2_000) < plain).astype(float)
    images = np.arange(2_000) // 5
    without = judge_confidence(plain, is_right, images)
    for temperature in (fitted, 0.206):
        tempered = probabilities(*harder, temperature)
        found = judge_confidence(tempered, is_right, images, temperature, np.log(plain))
        assert (found.auroc, found.aurc) == (without.auroc, without.aurc)


def test_where_nothing_is_better_the_model_stays_as_it_is():
    logits, tokens = torch.zeros(10, 4), torch.ones(10, dtype=torch.long)
    lengths = torch.ones(10, dtype=torch.long)
    assert calibrated_temperature(logits, tokens, lengths, np.ones(10)) == 1.0


def test_the_temperature_of_a_real_model_is_that_of_its_judged_rows(run):
    loaded, table = load_model(run), validation_table(run)
    preparation = loaded.model.vision.preparation
    transform = ImageTransform(preparation.size, preparation.interpolation)
    encoded = EncodedTable(table, loaded.tokenizers, 32, 8)
    store = ImageStore(table.image_paths, transform, 64)
    settings = loaded.scoring_settings(batch_size=16)
    found = fit_logit_temperature(loaded.model, encoded, store, loaded.tokenizers.answer, settings)
    assert 0.05 < found < 20.0
    assert found != 1.0

    def of(chosen):
        return fit_logit_temperature(
            loaded.model, encoded, store, loaded.tokenizers.answer, settings, is_judged=chosen
        )

    assert of(np.ones(len(table), dtype=bool)) == found
    scores = evaluate(loaded, table, Observer(), run=run)
    right_alone = of(scores.is_right > 0)
    assert right_alone >= 1.0
    assert right_alone != found
    assert of(np.zeros(len(table), dtype=bool)) == 1.0


def test_calibrating_changes_confidences_and_no_answer(run):
    table = validation_table(run)
    before = evaluate(load_model(run), table, Observer(), run=run)
    fitted = evaluate(load_model(run), table, Observer(), run=run, is_calibrating=True)
    again = load_model(run)
    after = evaluate(again, table, Observer(), run=run)
    assert before.answers == fitted.answers == after.answers
    assert again.logit_temperature == fitted.result.confidence.logit_temperature
    np.testing.assert_array_equal(fitted.confidences, after.confidences)
    assert not np.array_equal(before.confidences, after.confidences)
    np.testing.assert_array_equal(before.log_probabilities, after.log_probabilities)
    assert before.result.confidence.auroc == after.result.confidence.auroc
    assert before.result.confidence.risk_coverage == after.result.confidence.risk_coverage
    assert before.losses == after.losses


def test_what_a_kill_leaves_behind_does_not_count(run):
    folder = load_checkpoint(run).folder
    (folder / "calibration.json").write_text('{"logit_temp')  # the sums do not name it yet
    assert load_checkpoint(run).logit_temperature is None
    write_calibration(folder, 1.5)
    assert load_checkpoint(run).logit_temperature == 1.5


def test_a_damaged_calibration_is_a_damaged_checkpoint(run):
    folder = load_checkpoint(run / "last").folder
    write_calibration(folder, 1.5)
    (folder / "calibration.json").write_text(json.dumps({"logit_temperature": 9.0}))
    with pytest.raises(CheckpointError, match=r"calibration\.json is damaged"):
        load_checkpoint(folder)


def test_a_folder_that_cannot_be_written_is_named(run):
    with pytest.raises(CheckpointError, match="the calibration cannot be kept there"):
        write_calibration(run / "nowhere", 1.5)
