"""The terms of a batch's loss and their weights."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import cross_entropy

from latentvqa.data.batches import Batch
from latentvqa.data.tokenizer import BOS, PAD
from latentvqa.engine.runtime.settings import Settings
from latentvqa.engine.training.batch_loss import BatchLoss
from latentvqa.engine.training.teacher import Teacher
from tests.small_runs import BRIEF, train_small
from tests.tiny import ANSWERS, tiny_batch, tiny_config, tiny_model, tiny_tokenizers

WEIGHTS = {"kl": 3.0, "orthogonality": 0.25, "teacher": 0.5}


def test_the_logged_weight_is_the_one_in_the_loss(finished, tmp_path):
    for record in finished.outcome.records:
        for split in (record.train, record.val):
            penalty = sum(
                (total - count * 0.1)
                for total, count, edge in zip(
                    split.kl_histogram.sums[1:],
                    split.kl_histogram.counts[1:],
                    split.kl_histogram.edges,
                    strict=True,
                )
                if edge >= 0.1
            ) / (split.rows * 6)
            assert split.total_loss == pytest.approx(
                split.answer_loss + record.effective_kl_weight * penalty + 0.1 * split.orthogonality
            )
    free = train_small(tmp_path, "kl.max_weight=0").outcome.records
    known = finished.outcome.records
    # without a price nothing changes while the weight is 0, and all from then on
    assert free[0].train.answer_loss == known[0].train.answer_loss
    assert free[1].train.answer_loss != known[1].train.answer_loss
    assert free[-1].val.rate > 1.2 * known[-1].val.rate


@pytest.mark.parametrize("bottleneck", ["deterministic", "none"])
def test_the_controls_train_without_a_kl(tmp_path, bottleneck):
    outcome = train_small(tmp_path, *BRIEF, f"latent.bottleneck={bottleneck}").outcome
    for record in outcome.records:
        for split in (record.train, record.val):
            assert (split.kl_raw, split.kl_after, split.rate, split.kl_share) == (None,) * 4
            assert split.information_bound is None
            assert split.answer_loss > 0
        assert record.effective_kl_weight == 0.0
    assert outcome.records[-1].teacher.compared > 0
    assert outcome.header.kl.bottleneck == bottleneck
    assert outcome.records[-1].train.answer_loss < outcome.records[0].train.answer_loss


def test_under_sum_the_kl_is_z_times_that_under_mean(tmp_path):
    one, other = (
        train_small(tmp_path / kind, *BRIEF, f"kl.reduction={kind}").outcome
        for kind in ("mean", "sum")
    )
    mean, total = one.records[0].val, other.records[0].val  # priced at 0: the same weights
    assert total.kl_raw == pytest.approx(16 * mean.kl_raw)
    assert total.rate == pytest.approx(mean.rate)
    assert other.header.kl.reduction == "sum"
    assert other.records[1].beta == pytest.approx(16 * one.records[1].beta)


def objective(bottleneck="gaussian", precision="fp32", **kl):
    """A tiny model and what reckons its loss, both in training mode."""
    sections = {
        "kl": {"free_bits": 0.01, **kl},
        "latent": {
            "bottleneck": bottleneck,
            "token_dropout": 0.0,
            "orthogonality_weight": WEIGHTS["orthogonality"],
        },
        "teacher": {"weight": WEIGHTS["teacher"]},
        "fusion": {"dropout": 0.0},
    }
    settings = Settings(tiny_config(**sections), torch.device("cpu"), precision)
    model = tiny_model(**sections)
    teacher = Teacher(settings.config.teacher.scorer, tiny_tokenizers().answer)
    return BatchLoss(settings, model, teacher)


def loss_of(reckon, stage="full", temperature=0.0):
    made = tiny_batch()
    batch = Batch(
        images=made.images,
        image_index=made.image_index,
        question_tokens=made.questions,
        answer_tokens=made.answers,
        rows=torch.arange(4),
    )
    references = [[answer] for answer in ANSWERS]
    return reckon(batch, references, stage, WEIGHTS["kl"], temperature)


def test_the_kl_term_is_torchs_above_its_allowance():
    found = loss_of(objective(free_bits=0.01))
    mu, logvar = found.posterior.mu, found.posterior.logvar
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    token = kl_divergence(Normal(mu, (0.5 * logvar).exp()), prior).mean(-1)  # (Q, K)
    assert found.kl_raw.item() == pytest.approx(token.mean().item(), rel=1e-5)
    expected = (token - 0.01).clamp(min=0.0).mean().item()
    assert 0.0 < expected < found.kl_raw.item()
    assert found.terms["kl_after"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("bottleneck", ["gaussian", "deterministic", "none"])
def test_bf16_agrees_with_fp32_within_two_per_cent_of_each_term_and_of_the_gradient(bottleneck):
    found, norms = [], []
    for precision in ("fp32", "bf16"):
        reckon = objective(bottleneck, precision)
        result = loss_of(reckon, "warmup")
        result.total.backward()
        gradients = [one.grad for one in reckon.model.parameters() if one.grad is not None]
        found.append({name: term.item() for name, term in result.terms.items()})
        norms.append(nn.utils.get_total_norm(gradients).item())
        assert all(one.dtype is torch.float32 for one in (result.total, *result.terms.values()))
    full, half = found
    assert half != full  # it is reckoned otherwise
    assert half == pytest.approx(full, rel=0.02, abs=1e-3)
    assert norms[1] == pytest.approx(norms[0], rel=0.02)


def test_the_answer_term_is_the_cross_entropy_per_token():
    reckon, batch = objective(), tiny_batch()
    found = loss_of(reckon)
    encoded = reckon.model.encode(*batch.inputs)
    memory = reckon.model.memory(encoded, encoded.posterior.mu).tokens
    logits = reckon.model.answer_logits(memory, batch.answers, BOS)
    expected = cross_entropy(logits.flatten(0, 1), batch.answers.flatten(), ignore_index=PAD)
    assert found.terms["answer_loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert int(found.answer_tokens) == int((batch.answers != PAD).sum())
    whole = found.terms["answer_loss"] * found.answer_tokens
    assert found.answer_nll.sum().item() == pytest.approx(whole.item(), rel=1e-5)


@pytest.mark.parametrize("bottleneck", ["gaussian", "deterministic", "none"])
@pytest.mark.parametrize("stage", ["baseline", "warmup", "full"])
def test_the_total_is_the_weighted_sum_of_the_terms_that_the_stage_has(bottleneck, stage):
    found = loss_of(objective(bottleneck), stage, temperature=0.5)
    has_latent = bottleneck != "none" and stage != "baseline"
    expected = {"answer_loss"}
    expected |= {"kl_after"} if has_latent and bottleneck == "gaussian" else set()
    expected |= {"orthogonality"} if has_latent else set()
    expected |= {"teacher"} if stage == "full" else set()
    assert set(found.terms) == expected
    weights = {
        "answer_loss": 1.0,
        "kl_after": WEIGHTS["kl"],
        "orthogonality": WEIGHTS["orthogonality"],
        "teacher": WEIGHTS["teacher"],
    }
    total = sum(weights[name] * term.item() for name, term in found.terms.items())
    assert found.total.item() == pytest.approx(total, rel=1e-5)
    assert (found.posterior is not None) == has_latent
    assert (found.preference is not None) == (stage == "full")
    assert (found.kl_raw is not None) == ("kl_after" in expected)


def test_an_answer_is_right_where_every_token_of_it_is_the_likeliest():
    reckon, batch = objective(), tiny_batch()
    optimizer = torch.optim.AdamW(reckon.model.parameters(), lr=1e-2, fused=True)
    seen = set()
    for _ in range(60):
        found = loss_of(reckon, "warmup")
        with torch.no_grad():
            encoded = reckon.model.encode(*batch.inputs)
            memory = reckon.model.memory(encoded, encoded.posterior.mu).tokens
            likeliest = reckon.model.answer_logits(memory, batch.answers, BOS).argmax(-1)
        expected = [
            all(one == other for one, other in zip(*pair, strict=True) if other != PAD)
            for pair in zip(likeliest.tolist(), batch.answers.tolist(), strict=True)
        ]
        assert found.is_right.tolist() == expected
        seen.add(sum(expected))
        found.total.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert seen >= {0, 4} and len(seen) > 2


def test_label_smoothing_is_in_the_loss_that_is_trained_and_in_no_figure(finished, tmp_path):
    smoothed = train_small(tmp_path / "smoothed", "optimizer.label_smoothing=0.2").outcome.records
    plain = finished.outcome.records
    assert smoothed[0].val.answer_loss != plain[0].val.answer_loss
    model, batch = tiny_model().eval(), tiny_batch()
    settings = [
        Settings(tiny_config(optimizer={"label_smoothing": share}), torch.device("cpu"), "fp32")
        for share in (0.0, 0.2)
    ]
    asked = Batch(
        images=batch.images,
        image_index=batch.image_index,
        question_tokens=batch.questions,
        answer_tokens=batch.answers,
        rows=torch.arange(len(batch.answers)),
    )
    references = [(answer,) for answer in ANSWERS]
    found = []
    for one in settings:
        torch.manual_seed(0)
        teacher = Teacher("rule", tiny_tokenizers().answer)
        found.append(BatchLoss(one, model, teacher)(asked, references, "warmup", 0.0, 0.0))
    assert found[0].terms["answer_loss"] == found[1].terms["answer_loss"]
    torch.manual_seed(0)
    encoded = model.encode(*batch.inputs)
    memory = model.memory(encoded, encoded.posterior.mu, drop_probability=0.3).tokens
    logits = model.answer_logits(memory, batch.answers, BOS)
    is_target = batch.answers != PAD
    expected = cross_entropy(logits[is_target], batch.answers[is_target], label_smoothing=0.2)
    more = (found[1].total - found[0].total).item()
    assert more == pytest.approx((expected - found[0].terms["answer_loss"]).item(), abs=1e-5)
