"""The question-only control: no image reaches the model."""

import json

import pytest
import torch

from latentvqa.data.folders.pictures import find_pictures
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import predict
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.specification import ModelSpecification, specify
from tests.small_runs import BRIEF, train_small, write_images
from tests.tiny import loss_of, tiny_batch, tiny_config, tiny_model, tiny_tokenizers

ASKED = ["What shape is the red object?", "Is the blue object on the left?"]


@pytest.fixture(scope="module")
def blind(tmp_path_factory):
    return train_small(tmp_path_factory.mktemp("blind") / "run", *BRIEF, "vision.blind=true")


def test_the_answers_to_a_question_are_the_same_whatever_the_image(blind, tmp_path):
    folder = write_images(tmp_path / "images", 5)
    rows = list(predict(load_model(blind.run), Asking(find_pictures([folder]).pictures, ASKED)))
    assert len(rows) == 10
    for question in ASKED:
        assert len({(row.answer, row.confidence) for row in rows if row.question == question}) == 1


def test_losses_do_not_depend_on_the_pixels_either():
    model, batch = tiny_model(vision={"blind": True}).eval(), tiny_batch()
    black = torch.zeros_like(batch.images)
    seen = model.encode(batch.images, batch.image_index, batch.questions)
    unseen = model.encode(black, batch.image_index, batch.questions)
    assert torch.equal(seen.fused, unseen.fused)
    assert torch.equal(seen.posterior.mu, unseen.posterior.mu)
    # the model with eyes tells them apart
    model = tiny_model().eval()
    one = model.encode(batch.images, batch.image_index, batch.questions).fused
    other = model.encode(black, batch.image_index, batch.questions).fused
    assert not torch.allclose(one, other)


def test_no_gradient_reaches_the_pixels():
    model, batch = tiny_model(vision={"blind": True}), tiny_batch()
    pixels = batch.images.float().requires_grad_()
    patches = model.vision.embed(model.vision.features(pixels))
    assert patches.requires_grad
    (gradient,) = torch.autograd.grad(patches.sum(), pixels, allow_unused=True)
    assert gradient is None


def test_there_is_no_backbone_to_run_or_to_train(blind):
    model = load_model(blind.run).model
    assert list(model.vision.backbone.parameters()) == []
    (plan,) = blind.recorder.plans
    assert "vision" not in plan.parameters
    assert "vision" not in blind.outcome.records[-1].trainable
    seeing = tiny_model()
    blinded = tiny_model(vision={"blind": True})
    assert blinded.vision.patches == seeing.vision.patches  # the rest is of the same size
    assert blinded.vision.positions.shape == seeing.vision.positions.shape


def test_it_learns_from_the_questions():
    torch.manual_seed(0)
    model, batch = tiny_model(vision={"blind": True}), tiny_batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    first = loss_of(model, batch).item()
    for _ in range(60):
        loss_of(model, batch).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss_of(model, batch).item() < 0.2 * first


def test_its_run_is_evaluated_as_any_other(blind):
    found = evaluate(load_model(blind.run), validation_table(blind.run), Observer(), run=blind.run)
    of_question = {}
    for question, answer in zip(found.table.questions, found.answers, strict=True):
        of_question.setdefault(question, set()).add(answer)
    assert all(len(answers) == 1 for answers in of_question.values())


def test_pretrained_weights_are_neither_wanted_nor_read(tmp_path):
    options = ("vision.blind=true", f"vision.pretrained={tmp_path / 'absent.safetensors'}")
    train_small(tmp_path / "run", *BRIEF, *options)


def test_a_checkpoint_from_before_the_control_existed_can_see(finished):
    (path,) = (finished.run / "checkpoints").glob("0003-*/model.json")
    values = json.loads(path.read_text())["specification"]
    del values["vision_blind"]
    assert not ModelSpecification.from_json(values, path).vision_blind


def test_the_specification_says_it():
    config = tiny_config(vision={"blind": True})
    spec = specify(config, tiny_tokenizers())
    assert spec.vision_blind
    assert ModelSpecification.from_json(spec.to_json(), None) == spec
