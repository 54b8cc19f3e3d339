from dataclasses import replace

import numpy as np
import pytest
import torch

from latentvqa.core.answers.matching import exact_match
from latentvqa.core.records import KLConvention
from latentvqa.data.batches import EncodedTable
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.data.scenes.writing import make_scenes
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.engine.assembly import build_model
from latentvqa.engine.metrics.accumulator import entropy_of
from latentvqa.engine.scoring import ScoringSettings, row_noise, score_table
from latentvqa.engine.specification import specify
from tests.tiny import IMAGE_SIZE, tiny_config

SETTINGS = ScoringSettings(
    kl=KLConvention(tokens=3, dims=4),
    effective_weight=3.0,
    orthogonality_weight=0.1,
    temperature=0.5,
    seed=0,
    batch_size=16,
    workers=0,
    device=torch.device("cpu"),
    precision="fp32",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    path = make_scenes(folder, images=10, seed=0, level="easy", questions_per_image=5)
    table = read_questions(path, images=folder / "images")
    tokenizers = train_tokenizers(tiny_config().text, table)
    encoded = EncodedTable(table, tokenizers, 32, 4)
    store = ImageStore(table.image_paths, ImageTransform(IMAGE_SIZE), 64)
    return encoded, store, tokenizers


@pytest.fixture(scope="module")
def score(data):
    """Score the table with a model whose latents and answers vary."""
    encoded, store, tokenizers = data

    def scored(bottleneck="gaussian", model=None, on_batch=lambda done, total: None, **changes):
        kl = replace(SETTINGS.kl, bottleneck=bottleneck)
        model = model or varied_model(tokenizers, bottleneck)
        settings = replace(SETTINGS, **{"kl": kl, **changes})
        return score_table(model, encoded, store, tokenizers.answer, settings, on_batch)

    return scored


def varied_model(tokenizers, bottleneck="gaussian"):
    torch.manual_seed(0)
    model = build_model(specify(tiny_config(latent={"bottleneck": bottleneck}), tokenizers))
    with torch.no_grad():
        model.decoder.vocabulary.weight.mul_(4.0)  # an untrained decoder says one thing only
        for norm in (model.decoder.norm, model.fusion.norm):
            norm.weight.mul_(3.0)
    return model


@pytest.mark.parametrize("bottleneck", ["gaussian", "deterministic", "none"])
def test_scores_do_not_depend_on_how_the_table_is_batched(score, bottleneck):
    together = score(bottleneck, batch_size=50)
    apart = score(bottleneck, batch_size=3)
    assert apart.answers == together.answers
    np.testing.assert_allclose(apart.answer_nll, together.answer_nll, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(apart.confidences, together.confidences, rtol=1e-4, atol=1e-6)
    for name in ("total_loss", "answer_loss", "kl_raw", "rate", "information_bound"):
        one, other = getattr(apart.metrics, name), getattr(together.metrics, name)
        assert one == other or one == pytest.approx(other, rel=1e-4), name


def test_scoring_twice_gives_the_same_and_leaves_no_trace(score, data):
    model = varied_model(data[2])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()
    first, second = score(model=model), score(model=model)
    assert first.metrics == second.metrics
    assert first.answers == second.answers
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("is_training", [True, False])
def test_the_model_is_left_in_the_mode_it_came_in(score, data, is_training):
    model = varied_model(data[2]).train(is_training)
    score(model=model)
    assert model.training is is_training


def test_the_measures_are_those_of_the_rows(score, data):
    encoded = data[0]
    found = score()
    metrics, rows = found.metrics, len(encoded)
    tokens = sum(len(encoded.answer_ids(row)) for row in range(rows))
    assert metrics.rows == rows == len(found.answers)
    assert metrics.answer_nll == pytest.approx(found.answer_nll.mean(), rel=1e-6)
    assert metrics.answer_loss == pytest.approx(found.answer_nll.sum() / tokens, rel=1e-6)
    correct = map(exact_match, found.answers, encoded.table.answers)
    assert metrics.exact_match == sum(correct) / rows
    entropy = entropy_of(tuple(encoded.answer_ids(row)) for row in range(rows))
    assert metrics.answer_entropy == pytest.approx(entropy)
    assert metrics.answer_gain == pytest.approx(entropy - metrics.answer_nll)
    total = metrics.answer_loss + 3.0 * metrics.kl_after + 0.1 * metrics.orthogonality
    assert metrics.total_loss == pytest.approx(total, rel=1e-6)
    assert sum(metrics.kl_histogram.counts) == rows * 3


def test_answers_come_from_the_mean_whatever_the_temperature_of_the_loss(score):
    cold, hot = score(temperature=0.0), score(temperature=3.0)
    assert cold.answers == hot.answers
    np.testing.assert_allclose(cold.confidences, hot.confidences)
    assert cold.metrics.answer_nll != hot.metrics.answer_nll
    assert cold.metrics.information_bound is None
    assert len(set(cold.answers)) > 1  # the comparison says something


def test_another_seed_is_another_noise(score):
    assert score(seed=1).metrics.answer_nll != score(seed=2).metrics.answer_nll


def test_the_noise_of_a_row_is_its_own(score):
    noise = row_noise(torch.tensor([4, 7, 4]), (3, 4), seed=5)
    assert torch.equal(noise[0], noise[2])
    assert not torch.equal(noise[0], noise[1])
    assert torch.equal(noise[1], row_noise(torch.tensor([7]), (3, 4), seed=5)[0])
    assert not torch.equal(noise, row_noise(torch.tensor([4, 7, 4]), (3, 4), seed=6))


def test_the_noise_is_standard_normal():
    noise = row_noise(torch.arange(2000), (2, 4), seed=0)
    assert noise.mean().item() == pytest.approx(0.0, abs=0.03)
    assert noise.std().item() == pytest.approx(1.0, abs=0.03)
    assert torch.corrcoef(noise.flatten(1).T).fill_diagonal_(0.0).abs().max() < 0.1


def test_confidences_are_probabilities(score):
    for samples in (0, 4):
        found = score(samples=samples).confidences
        assert bool(((found > 0) & (found <= 1 + 1e-6)).all())


def test_one_sample_without_noise_is_the_mean(score):
    plain, sampled = score(temperature=0.0), score(temperature=0.0, samples=3)
    assert sampled.answers == plain.answers
    np.testing.assert_allclose(sampled.confidences, plain.confidences, rtol=1e-5)


def test_shuffled_latents_answer_other_questions(score):
    found = score(is_shuffled_too=True)
    assert len(found.shuffled_answers) == len(found.answers)
    assert found.shuffled_answers != found.answers
    assert sorted(score(is_shuffled_too=True, batch_size=50).shuffled_answers) == sorted(
        score(batch_size=50).answers
    )
    assert score().shuffled_answers == []


def test_without_a_bottleneck_there_is_nothing_to_shuffle_and_no_kl(score):
    found = score("none", is_shuffled_too=True)
    assert found.shuffled_answers == []
    assert found.metrics.kl_raw is found.metrics.orthogonality is found.metrics.active_units is None
    assert found.metrics.total_loss == found.metrics.answer_loss


def test_the_baseline_stage_reads_the_fused_tokens(score):
    found = score(is_latent_used=False)
    assert found.metrics.kl_raw is None
    assert found.metrics.total_loss == found.metrics.answer_loss
    assert found.answers != score().answers


def test_progress_is_told_until_every_row_is_done(score, data):
    told = []
    score(on_batch=lambda done, total: told.append((done, total)))
    rows = len(data[0])
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1] == (rows, rows)


def test_the_temperature_of_the_confidences_leaves_the_log_probabilities(score):
    for samples in (0, 4):
        plain, tempered = score(samples=samples), score(samples=samples, logit_temperature=3.0)
        assert tempered.answers == plain.answers
        assert not np.allclose(tempered.confidences, plain.confidences)
        np.testing.assert_array_equal(tempered.log_probabilities, plain.log_probabilities)
        np.testing.assert_allclose(np.exp(plain.log_probabilities), plain.confidences, rtol=1e-5)
