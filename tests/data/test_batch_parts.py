"""A batch in parts, alone and in training, where images are changed at random as well."""

import pytest
import torch

from latentvqa.config import load_config
from latentvqa.data.batches import Batch
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from tests.small_runs import (
    BRIEF,
    Interrupter,
    assert_same_run,
    interrupted,
    records_of,
    small_config,
    train_small,
)

# nothing is drawn, and no statistic depends on which questions are computed together
STILL = (
    *BRIEF,
    "latent.bottleneck=deterministic",
    "latent.token_dropout=0.0",
    "teacher.weight=0.0",
    "vision.fixed_statistics=true",
    "latent.orthogonality_weight=0.0",
    "run.precision=fp32",
    "fusion.dropout=0.0",
)
MICRO = "loader.micro_batch_size"
CHANGED = ("augment.crop=0.6", "augment.rotation=10.0", "augment.colour=0.5", "augment.flip=true")


def a_batch():
    return Batch(
        images=torch.arange(3)[:, None].repeat(1, 5),
        image_index=torch.tensor([0, 1, 0, 2, 1]),
        question_tokens=torch.arange(10).view(5, 2),
        answer_tokens=torch.arange(5)[:, None],
        rows=torch.tensor([50, 51, 52, 53, 54]),
    )


def test_a_batch_that_is_small_enough_is_given_as_it_is():
    batch = a_batch()
    for size in (None, 5, 9):
        (part,) = batch.parts(size)
        assert part is batch


def test_parts_hold_every_question_once_with_its_own_image():
    batch = a_batch()
    parts = list(batch.parts(2))
    assert [part.rows.tolist() for part in parts] == [[50, 52], [51, 54], [53]]
    assert [len(part.images) for part in parts] == [1, 1, 1]
    for part in parts:
        for place, row in enumerate(part.rows - 50):
            image = part.images[part.image_index[place]]
            assert torch.equal(image, batch.images[batch.image_index[row]])
            assert torch.equal(part.question_tokens[place], batch.question_tokens[row])
            assert torch.equal(part.answer_tokens[place], batch.answer_tokens[row])


def test_the_gradient_of_the_parts_is_that_of_the_whole_batch(tmp_path):
    one_step = (*STILL, "loader.batch_size=2000", "loader.questions_per_image=100", "stages.full=0")
    whole, parts = (
        records_of(train_small(tmp_path / str(size), *one_step, f"{MICRO}={size}").run)[0]
        for size in (2000, 16)
    )
    assert whole["steps"] == parts["steps"] == 1
    assert parts["train"]["answer_loss"] == pytest.approx(whole["train"]["answer_loss"], rel=1e-5)
    assert parts["gradient_norm"] == pytest.approx(whole["gradient_norm"], rel=1e-3)


def test_an_interrupted_run_with_changed_images_and_parts_goes_on_as_if_it_had_not_been(tmp_path):
    config = small_config(*BRIEF, *CHANGED, "loader.micro_batch_size=24")
    train(config, tmp_path / "whole", Observer())
    parts = tmp_path / "parts"
    with interrupted():
        train(config, parts, Interrupter("epoch 0", 2))
    with interrupted():
        resume(parts, None, Interrupter("epoch 1", 1))
    resume(parts, None, Observer())
    assert_same_run(parts, tmp_path / "whole")


def test_images_are_changed_in_training_and_not_in_validation(tmp_path):
    """A model that never moves says the same of an image that is not changed."""
    still = (*BRIEF, *(f"optimizer.{name}_rate=1e-12" for name in RATES), "latent.temperature=0.0")
    plain = records_of(train_small(tmp_path / "plain", *still).run)[0]
    changed = records_of(train_small(tmp_path / "changed", *still, *CHANGED).run)[0]
    assert plain["train"]["answer_loss"] != pytest.approx(changed["train"]["answer_loss"], abs=1e-6)


RATES = ("decoder", "latent", "fusion", "question", "vision")


def test_what_the_texts_forbid_is_left_out_and_told(tmp_path):
    trained = train_small(tmp_path / "run", *BRIEF, "augment.flip=auto", "augment.colour=auto")
    told = [text for text in trained.recorder.notices if text.startswith("augment.")]
    assert [text.split(" auto")[0] for text in told] == ["augment.flip", "augment.colour"]
    assert "left or right" in told[0]
    written = load_config(trained.run / "config.toml").augment
    assert (written.flip, written.colour) == (False, 0.0)


def test_what_no_text_forbids_is_done(tmp_path):
    only = 'data.scene_families=["count"]'
    trained = train_small(tmp_path / "run", *BRIEF, only, "augment.flip=auto")
    assert load_config(trained.run / "config.toml").augment.flip is True
