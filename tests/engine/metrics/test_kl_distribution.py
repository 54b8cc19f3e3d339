"""The logged distribution of the KL against the examples of a really trained model."""

import pytest
import torch

from latentvqa.core.diagnosis.what_if import what_if_free_bits
from latentvqa.core.histogram import kl_after_at
from latentvqa.data.batches import BatchLoader, EncodedTable, plan_batches
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.objectives import free_bits_penalty, kl_per_dimension, kl_per_token


@pytest.fixture(scope="module")
def kl_token(finished):
    """KL of every validation example and token, from the last checkpoint: ``(rows, K)``."""
    loaded = load_model(finished.run / "last", device="cpu")
    table, spec = validation_table(finished.run), loaded.spec
    preparation = loaded.model.vision.preparation
    transform = ImageTransform(preparation.size, preparation.interpolation)
    encoded = EncodedTable(
        table, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens
    )
    plan = plan_batches(
        table.image_index,
        batch_size=len(table),
        questions_per_image=len(table),
        seed=0,
        epoch=0,
        shuffle=False,
    )
    loader = BatchLoader(encoded, ImageStore(table.image_paths, transform, 64), plan, workers=0)
    parts = []
    with torch.no_grad():
        for batch in loader:
            posterior = loaded.model.encode(
                batch.images, batch.image_index, batch.question_tokens
            ).posterior
            mu, logvar = posterior.mu.double(), posterior.logvar.double()
            parts.append(kl_per_token(kl_per_dimension(mu, logvar), "mean"))
    return torch.cat(parts)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 2.0, 10.0])
def test_what_another_allowance_would_cost_is_within_2_percent_of_kl_raw(finished, kl_token, share):
    record, raw = finished.outcome.records[-1], kl_token.mean().item()
    assert kl_token.numel() == sum(record.val.kl_histogram.counts)
    assert record.val.kl_raw == pytest.approx(raw, rel=1e-5)
    low, high = kl_after_at(record.val.kl_histogram, share * raw)
    true = free_bits_penalty(kl_token, share * raw).item()
    assert low - 1e-6 * raw <= true <= high + 1e-6 * raw
    assert abs((low + high) / 2.0 - true) <= 0.02 * raw


def test_the_answer_to_what_if_is_as_narrow(finished):
    records = finished.outcome.records
    raw = records[-1].train.kl_raw
    tried = what_if_free_bits(finished.outcome.header, records, 0.9 * raw)
    assert tried.is_exact
    for row in tried.table:
        assert row.kl_after_high - row.kl_after_low <= 0.04 * raw
