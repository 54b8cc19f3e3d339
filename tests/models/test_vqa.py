import pytest
import torch
from torch.nn import functional as F

from latentvqa.data.tokenizer import BOS, EOS, PAD
from latentvqa.models import Encoded, generate
from latentvqa.models.vqa import VQAModel
from tests.tiny import loss_of, tiny_batch, tiny_model

BOTTLENECKS = ("gaussian", "deterministic", "none")


@pytest.fixture(scope="module")
def batch():
    return tiny_batch()


@pytest.fixture(scope="module")
def model():
    return tiny_model().eval()


@torch.no_grad()
def logits_of(model: VQAModel, images, image_index, questions, answers):
    encoded = model.encode(images, image_index, questions)
    latents = None if encoded.posterior is None else encoded.posterior.mu
    return model.answer_logits(model.memory(encoded, latents).tokens, answers, BOS)


@torch.no_grad()
def answers_of(model, images, image_index, questions):
    encoded = model.encode(images, image_index, questions)
    memory = model.memory(encoded, encoded.posterior.mu).tokens
    return generate(model.decoder, memory, begin_id=BOS, end_id=EOS, pad_id=PAD)


def test_padding_of_question_and_answer_does_not_change_logits(model, batch):
    logits = logits_of(model, *batch.inputs, batch.answers)
    padded = logits_of(
        model,
        batch.images,
        batch.image_index,
        F.pad(batch.questions, (0, 3)),
        F.pad(batch.answers[:, :-1], (0, 1)),
    )
    torch.testing.assert_close(padded[:, :-1], logits[:, :-1])


def test_a_question_alone_gets_the_answer_that_it_gets_among_others(model, batch):
    together = answers_of(model, *batch.inputs)
    for row, image in enumerate(batch.image_index.tolist()):
        question = batch.questions[row : row + 1]
        trimmed = question[:, : int((question != PAD).sum())]
        alone = answers_of(model, batch.images[image : image + 1], torch.tensor([0]), trimmed)
        length = alone.tokens.shape[1]
        assert torch.equal(alone.tokens[0], together.tokens[row, :length])
        torch.testing.assert_close(
            alone.log_probability[0], together.log_probability[row], atol=1e-5, rtol=1e-4
        )


def test_an_image_encoded_once_is_as_good_as_one_for_every_question(model, batch):
    once = logits_of(model, *batch.inputs, batch.answers)
    repeated = batch.images[batch.image_index]
    each = logits_of(model, repeated, torch.arange(4), batch.questions, batch.answers)
    torch.testing.assert_close(once, each)


def test_patches_encoded_apart_give_the_same_posterior(model, batch):
    with torch.no_grad():
        whole = model.encode(*batch.inputs).posterior
        parts = model.encode_patches(model.vision(batch.images), *batch.inputs[1:]).posterior
    torch.testing.assert_close(parts.mu, whole.mu)


def test_image_and_question_both_reach_the_latent(model, batch):
    with torch.no_grad():
        mu = model.encode(*batch.inputs).posterior.mu
        other_image = model.encode(batch.images.flip(0), *batch.inputs[1:]).posterior.mu
        other_question = model.encode(
            batch.images, batch.image_index, batch.questions.flip(0)
        ).posterior.mu
    assert not torch.allclose(mu, other_image)
    assert not torch.allclose(mu, other_question)


def test_with_a_constant_latent_the_logits_know_neither_image_nor_question(model, batch):
    with torch.no_grad():
        encoded = model.encode(*batch.inputs)
        constant = torch.randn(1, 3, 4).expand(4, -1, -1)
        memory = model.memory(encoded, constant).tokens
        same_answer = batch.answers[:1].expand(4, -1)
        logits = model.answer_logits(memory, same_answer, BOS)
    torch.testing.assert_close(logits, logits[:1].expand_as(logits))


def test_the_gradient_reaches_the_fused_tokens_through_the_latents_alone(model, batch):
    with torch.no_grad():
        fused = model.encode(*batch.inputs).fused
    fused.requires_grad_()
    posterior = model.bottleneck.posterior(fused)
    encoded = Encoded(fused, posterior)
    for latents, is_connected in ((posterior.mu, True), (posterior.mu.detach(), False)):
        logits = model.answer_logits(model.memory(encoded, latents).tokens, batch.answers, BOS)
        (gradient,) = torch.autograd.grad(
            logits.square().sum(), fused, allow_unused=True, retain_graph=True
        )
        assert (gradient is not None and bool(gradient.abs().sum() > 0)) is is_connected


def test_without_a_bottleneck_the_decoder_reads_the_fused_tokens(batch):
    model = tiny_model(latent={"bottleneck": "none"}).eval()
    encoded = model.encode(*batch.inputs)
    memory = model.memory(encoded, None, drop_probability=0.5)
    assert encoded.posterior is None
    assert memory.tokens is encoded.fused
    assert memory.before_dropout is None


def test_memory_before_dropout_is_whole(model, batch):
    torch.manual_seed(0)
    encoded = model.encode(*batch.inputs)
    whole = model.memory(encoded, encoded.posterior.mu)
    dropped = model.memory(encoded, encoded.posterior.mu, drop_probability=0.6)
    assert torch.equal(dropped.before_dropout, whole.before_dropout)
    places = model.bottleneck.token_embedding
    zeroed = torch.isclose(dropped.tokens, places).all(-1)
    assert 0 < int(zeroed.sum()) < zeroed.numel()
    assert not bool(torch.isclose(whole.tokens, places).all(-1).any())


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_every_trainable_parameter_gets_a_gradient(bottleneck, batch):
    model = tiny_model(latent={"bottleneck": bottleneck})
    # timm's residual branches start at zero: what feeds them has a gradient after one step
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(0)
    loss_of(model, batch, temperature=1.0).backward()
    optimizer.step()
    optimizer.zero_grad()
    loss_of(model, batch, temperature=1.0).backward()
    without = [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not bool(parameter.grad.abs().sum() > 0)
    ]
    assert without == []


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_a_tiny_batch_is_overfitted(bottleneck, batch):
    model = tiny_model(latent={"bottleneck": bottleneck})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
    first = loss_of(model, batch).item()
    for _ in range(60):
        loss = loss_of(model, batch, temperature=0.3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1 < first


def test_dropout_acts_in_training_alone(batch):
    model = tiny_model(fusion={"dropout": 0.3})
    with torch.no_grad():
        assert loss_of(model, batch) != loss_of(model, batch)
        model.eval()
        assert loss_of(model, batch) == loss_of(model, batch)


@torch.no_grad()
def test_the_attention_of_a_latent_token_goes_through_what_was_read(batch):
    model = tiny_model(fusion={"kind": "reading", "layers": 2}).eval()
    encoded = model.encode(*batch.inputs)
    found = model.attention_over(encoded)
    assert found.shape == (4, 3, model.vision.patches + 1)
    torch.testing.assert_close(found.sum(-1), torch.ones(4, 3))
    over_states = model.bottleneck.attention_over(encoded.fused)  # (4, 3, states)
    by_hand = sum(over_states[..., i, None] * encoded.read[:, None, i] for i in range(3))
    torch.testing.assert_close(found, by_hand)


@torch.no_grad()
def test_the_attention_over_fused_patches_is_that_of_the_bottleneck(model, batch):
    encoded = model.encode(*batch.inputs)
    assert torch.equal(
        model.attention_over(encoded), model.bottleneck.attention_over(encoded.fused)
    )


def test_without_a_bottleneck_there_is_no_attention_to_show(batch):
    model = tiny_model(latent={"bottleneck": "none"}).eval()
    with pytest.raises(ValueError, match="no latent tokens"):
        model.attention_over(model.encode(*batch.inputs))
