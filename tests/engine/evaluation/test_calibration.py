import json
import shutil

import numpy as np
import pytest
import torch

from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.engine.evaluation.calibration import fit_logit_temperature, likeliest_temperature
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.runs.checkpoint import load_checkpoint, write_calibration
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import CheckpointError


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished.run, tmp_path / "run")


@pytest.mark.parametrize("truth", [0.4, 1.0, 2.5])
def test_the_temperature_of_drawn_targets_is_found_again(truth):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(40_000, 8, generator=generator)
    targets = torch.multinomial((logits / truth).softmax(-1), 1, generator=generator)[:, 0]
    assert likeliest_temperature(logits, targets) == pytest.approx(truth, rel=0.03)


def test_where_nothing_is_better_the_model_stays_as_it_is():
    assert likeliest_temperature(torch.zeros(10, 4), torch.zeros(10, dtype=torch.long)) == 1.0


def test_the_fit_lowers_the_loss_of_a_real_model(run):
    loaded, table = load_model(run), validation_table(run)
    preparation = loaded.model.vision.preparation
    transform = ImageTransform(preparation.size, preparation.interpolation)
    encoded = EncodedTable(table, loaded.tokenizers, 32, 8)
    store = ImageStore(table.image_paths, transform, 64)
    found = fit_logit_temperature(
        loaded.model, encoded, store, loaded.scoring_settings(batch_size=16)
    )
    assert 0.05 < found < 20.0
    assert found != 1.0


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
