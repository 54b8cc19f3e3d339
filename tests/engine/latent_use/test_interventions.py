"""What a model answers when its latent, image or question is replaced or hidden."""

import numpy as np
import pytest
import torch

from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.engine.features import encoded_once
from latentvqa.engine.latent_use.interventions import InterventionRunner, Reading
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer


@pytest.fixture(scope="module")
def runner(finished):
    loaded = load_model(finished.run)
    preparation = loaded.model.vision.preparation
    table = validation_table(finished.run)
    transform = ImageTransform(preparation.size, preparation.interpolation)
    return InterventionRunner(
        loaded.model,
        EncodedTable(table, loaded.tokenizers, 32, 8),
        ImageStore(table.image_paths, transform, 64),
        loaded.tokenizers.answer,
        loaded.scoring_settings(batch_size=7),  # batches that end within an image
    )


def test_reading_the_own_latents_changes_nothing(runner):
    encoding = runner.encode("base")
    mu = encoding.posterior.mu
    read = runner.read({"own": Reading(lambda rows: mu[rows])})["own"]
    assert read.answers == encoding.answered.answers
    np.testing.assert_allclose(read.answer_nll, encoding.answered.answer_nll, atol=1e-5)


def test_reading_the_latents_of_other_rows_gives_the_answers_of_these(runner):
    encoding = runner.encode("base")
    mu, others = encoding.posterior.mu, torch.arange(len(encoding.answered.answers)).flip(0)
    read = runner.read({"flipped": Reading(lambda rows: mu[others[rows]])})["flipped"]
    assert read.answers == encoding.answered.answers[::-1]


def test_a_dropped_token_is_zeroed_and_the_others_scaled_as_in_training(runner):
    model = runner.model
    encoding = runner.encode("base")
    mu = encoding.posterior.mu
    read = runner.read({"without": Reading(lambda rows: mu[rows], 2)})["without"]
    with torch.no_grad():
        whole = model.bottleneck.memory(mu)
        scale = torch.full((mu.shape[1], 1), mu.shape[1] / (mu.shape[1] - 1))
        scale[2] = 0.0
        memory = model.bottleneck.identify(whole * scale)
        targets = [runner.encoded.answer_ids(row) for row in range(3)]
        padded = torch.nn.utils.rnn.pad_sequence(list(map(torch.tensor, targets)), True)
        logits = model.answer_logits(memory[:3], padded, 1).log_softmax(-1)
    picked = logits.gather(2, padded[..., None])[..., 0].masked_fill(padded == 0, 0.0)
    np.testing.assert_allclose(read.answer_nll[:3], -picked.sum(1), atol=1e-5)


def test_without_an_image_all_images_get_the_same_answers(runner):
    blank = runner.encode("blank", blank="image")
    answers = {}
    for row, question in enumerate(runner.encoded.table.questions):
        answers.setdefault(question, set()).add(blank.answered.answers[row])
    assert max(map(len, answers.values())) == 1
    assert len(answers) > 1


def test_features_in_the_place_of_pixels_give_the_same_answers_seen_or_blank(runner, finished):
    source = encoded_once(
        runner.model.vision, runner.store, len(runner.store.paths), runner.settings, Observer()
    )
    assert not torch.equal(source.get(np.array([0])), source.get(np.array([1])))
    tokenizer = load_model(finished.run).tokenizers.answer
    encoded_before = InterventionRunner(
        runner.model, runner.encoded, source, tokenizer, runner.settings
    )
    for blank in (None, "image", "question"):
        one, other = (each.encode("pass", blank=blank) for each in (runner, encoded_before))
        assert one.answered.answers == other.answered.answers
        np.testing.assert_allclose(one.answered.answer_nll, other.answered.answer_nll, atol=1e-4)
        torch.testing.assert_close(one.posterior.mu, other.posterior.mu)


def test_without_a_question_an_image_gets_one_answer(runner):
    blank = runner.encode("blank", blank="question")
    index = runner.encoded.table.image_index
    for image in np.unique(index):
        rows = np.flatnonzero(index == image)
        assert len({blank.answered.answers[row] for row in rows}) == 1


def test_answers_are_scored_against_the_rows_own_references(runner):
    table = runner.encoded.table
    exchanged = runner.encoded.with_inputs(questions=table.questions[::-1])
    assert exchanged.table.answers is table.answers
    assert exchanged.question_ids(0) == runner.encoded.question_ids(len(table) - 1)
    assert runner.encoded.question_ids(0) != exchanged.question_ids(0)


def test_the_watcher_of_a_pass_is_called_after_every_batch_and_may_stop_it(runner, finished):
    tokenizer = load_model(finished.run).tokenizers.answer
    calls = []

    class EnoughError(Exception):
        pass

    def watch(name, done, total):
        calls.append((name, done, total))
        if len(calls) == 2:
            raise EnoughError

    watched = InterventionRunner(
        runner.model,
        runner.encoded,
        runner.store,
        tokenizer,
        runner.settings,
        watch,
    )
    with pytest.raises(EnoughError):
        watched.encode("base")
    assert calls == [("base", 1, 5), ("base", 2, 5)]  # 32 rows by 7
