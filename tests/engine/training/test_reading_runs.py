"""Whole runs of a question that reads related patches, in batches as large as the data allow."""

import numpy as np
import pytest
import torch

from latentvqa.config import load_config
from latentvqa.engine.export.graphs import TOLERANCE, export_graphs
from latentvqa.engine.prediction.answerer import BatchAnswerer
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from tests.small_runs import Interrupter, assert_same_run, interrupted, small_config, train_small

READING = (
    "fusion.kind=reading",
    "fusion.layers=2",
    "vision.layers=1",
    "vision.relative_places=true",
    "loader.batch_size=auto",
    "loader.questions_per_image=auto",
)


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """One run that nobody may change."""
    return train_small(tmp_path_factory.mktemp("reading") / "run", *READING)


def test_it_resumes_exactly_and_its_batches_have_numbers(reading, tmp_path):
    with interrupted():
        train(small_config(*READING), tmp_path / "parts", Interrupter("epoch 1", 3))
    resume(tmp_path / "parts", None, Observer())
    assert_same_run(tmp_path / "parts", reading.run)
    loader = read_config(tmp_path / "parts").loader
    assert (loader.batch_size, loader.questions_per_image) == (32, 1)


def test_the_word_auto_may_be_given_again_to_go_on(reading, tmp_path):
    with interrupted():
        train(small_config(*READING), tmp_path / "parts", Interrupter("epoch 1", 3))
    again = ["loader.batch_size=auto", "loader.questions_per_image=auto"]
    resume(
        tmp_path / "parts", load_config(tmp_path / "parts/config.toml", overrides=again), Observer()
    )
    assert_same_run(tmp_path / "parts", reading.run)


def test_a_loaded_model_exports_as_itself(reading):
    found = export_graphs(load_model(reading.run, "cpu").model, "run")
    assert found.latents_difference < TOLERANCE and found.logits_difference < TOLERANCE


def test_each_answer_shows_where_its_question_looked(reading):
    loaded = load_model(reading.run, "cpu")
    side = loaded.model.vision.preparation.size
    draws = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (2, 3, side, side), generator=draws).to(torch.uint8).numpy()
    asked = BatchAnswerer(loaded, ["what shape?", "is it red?", "where?"], 0, is_explained=True)
    for answers in asked.answer(pixels):
        for _, _, attention, _ in answers:
            assert attention.shape == (
                loaded.model.bottleneck.tokens,
                loaded.model.vision.patches + 1,
            )
            np.testing.assert_allclose(attention.sum(1), 1.0, rtol=1e-5)
