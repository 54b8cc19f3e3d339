"""One pass over a table: every row once, encoded as the model alone encodes it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from latentvqa.data.batches import EncodedTable, make_batch
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.engine.assembly import build_model
from latentvqa.engine.encoding import EncodingSettings, encoded_batches, generate_answers
from latentvqa.engine.specification import specify
from tests.small_runs import questions, write_images, write_rows
from tests.tiny import IMAGE_SIZE, tiny_config

CPU = torch.device("cpu")
SETTINGS = EncodingSettings(batch_size=5, device=CPU, precision="fp32", workers=0)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A model in eval mode, 12 encoded questions about three images, and the images."""
    folder = tmp_path_factory.mktemp("asked")
    images = write_images(folder / "images", 3, side=IMAGE_SIZE)
    table = read_questions(write_rows(folder / "t.csv", questions(3)), images=images)
    config = tiny_config()
    tokenizers = train_tokenizers(config.text, table)
    torch.manual_seed(0)
    model = build_model(specify(config, tokenizers)).eval()
    store = ImageStore(table.image_paths, ImageTransform(IMAGE_SIZE), 64)
    store.load(lambda done, total: None)
    return model, EncodedTable(table, tokenizers, 8, 4), store


@torch.no_grad()
def test_every_row_is_encoded_once_and_as_if_it_were_alone(asked):
    model, encoded, store = asked
    passes = list(encoded_batches(model, encoded, store, SETTINGS))
    assert [one.count for one in passes] == [3, 3, 3]
    rows = torch.cat([one.batch.rows for one in passes])
    assert sorted(rows.tolist()) == list(range(12))
    for one in passes:
        for place, row in enumerate(one.batch.rows.tolist()):
            alone = make_batch(encoded, store, np.array([row]))
            known = model.encode(alone.images, alone.image_index, alone.question_tokens)
            torch.testing.assert_close(one.encoded.posterior.mu[place], known.posterior.mu[0])


@torch.no_grad()
def test_a_pass_ends_with_the_batch_that_reaches_the_wanted_rows(asked):
    for most, batches in ((1, 1), (5, 1), (6, 2), (100, 3)):
        assert len(list(encoded_batches(*asked, SETTINGS, most_rows=most))) == batches


@torch.no_grad()
def test_a_changed_batch_is_what_the_model_sees(asked):
    plain = next(encoded_batches(*asked, SETTINGS))
    blank = next(
        encoded_batches(
            *asked, SETTINGS, change=lambda b: replace(b, images=torch.zeros_like(b.images))
        )
    )
    assert torch.equal(blank.batch.rows, plain.batch.rows)
    assert not blank.batch.images.any()
    assert not torch.equal(blank.encoded.fused, plain.encoded.fused)


def test_gradients_reach_the_model_where_the_reader_keeps_them(asked):
    one = next(encoded_batches(*asked, SETTINGS))
    assert one.encoded.fused.requires_grad
    with torch.no_grad():
        assert not next(encoded_batches(*asked, SETTINGS)).encoded.fused.requires_grad


@torch.no_grad()
def test_answers_end_with_padding_and_a_temperature_changes_only_their_probability(asked):
    model, *_ = asked
    one = next(encoded_batches(*asked, SETTINGS))
    memory = model.memory(one.encoded, one.encoded.posterior.mu).tokens
    plain = generate_answers(model, memory)
    cold = generate_answers(model, memory, logit_temperature=0.5)
    assert torch.equal(plain.tokens, cold.tokens)
    assert not torch.allclose(cold.log_probability, plain.log_probability)
