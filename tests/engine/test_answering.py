from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentvqa.data.scenes.writing import make_scenes
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import BOS, EOS, PAD, train_tokenizers
from latentvqa.engine.answering import (
    AnswerTexts,
    likeliest_answers,
    most_probable_answers,
    sequence_log_probabilities,
)
from latentvqa.engine.assembly import build_model
from latentvqa.engine.encoding import generate_answers
from latentvqa.engine.specification import specify
from tests.tiny import tiny_config

QUESTIONS, SAMPLES = 60, 5


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    path = make_scenes(folder, images=10, seed=0, level="easy", questions_per_image=5)
    return train_tokenizers(tiny_config().text, read_questions(path, images=folder / "images"))


@pytest.fixture(scope="module")
def model(tokenizer):
    torch.manual_seed(0)
    model = build_model(specify(tiny_config(), tokenizer)).eval()
    with torch.no_grad():
        model.decoder.vocabulary.weight.mul_(4.0)  # an untrained decoder says one thing only
        model.decoder.norm.weight.mul_(2.0)
    return model


@pytest.fixture(scope="module")
def memories(model):
    generator = torch.Generator().manual_seed(0)
    width = model.decoder.vocabulary.weight.shape[1]
    base = torch.randn(QUESTIONS, 3, width, generator=generator)
    return [
        base + 0.7 * torch.randn(QUESTIONS, 3, width, generator=generator) for _ in range(SAMPLES)
    ]


@torch.no_grad()
def mean_probability(model, memories, question, tokens, temperature):
    """Of one answer to one question, token by token."""
    total = 0.0
    for memory in memories:
        logits = model.answer_logits(memory[question : question + 1], tokens[None], BOS)[0]
        scores = (logits / temperature).log_softmax(-1)
        known = [scores[place, token] for place, token in enumerate(tokens) if token != PAD]
        total += float(torch.stack(known).sum().exp())
    return total / len(memories)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_the_answer_with_the_largest_mean_over_all_samples_wins(
    model, memories, tokenizer, temperature
):
    texts = AnswerTexts(tokenizer.answer)
    found = most_probable_answers(model, memories, texts, logit_temperature=temperature)
    given = [generate_answers(model, memory).tokens for memory in memories]
    by_own_samples_alone = []
    for question in range(QUESTIONS):
        plain, tempered, own = {}, {}, {}
        for memory, tokens in zip(memories, given, strict=True):
            ids = tokens[question]
            name = texts(ids[None])[0]
            plain[name] = mean_probability(model, memories, question, ids, 1.0)
            tempered[name] = mean_probability(model, memories, question, ids, temperature)
            share = mean_probability(model, [memory], question, ids, 1.0) / SAMPLES
            own[name] = own.get(name, 0.0) + share
        best = max(plain, key=plain.get)
        by_own_samples_alone.append(max(own, key=own.get))
        assert found.answers[question] == best
        assert found.probabilities[question] == pytest.approx(tempered[best], rel=1e-4)
        log_probability = found.log_probabilities[question]
        assert np.exp(log_probability) == pytest.approx(plain[best], rel=1e-4)
        assert plain[best] >= own[best]
    assert len(set(found.answers)) > 1
    # samples that gave another answer decide at least one question
    assert found.answers != by_own_samples_alone


def test_equal_samples_answer_as_one(model, memories, tokenizer):
    texts = AnswerTexts(tokenizer.answer)
    one = most_probable_answers(model, memories[:1], texts, logit_temperature=1.7)
    many = most_probable_answers(model, memories[:1] * 3, texts, logit_temperature=1.7)
    assert many.answers == one.answers
    np.testing.assert_allclose(many.probabilities, one.probabilities, rtol=1e-4)
    np.testing.assert_allclose(many.log_probabilities, one.log_probabilities, atol=1e-4)


def test_the_order_of_the_samples_does_not_count(model, memories, tokenizer):
    texts = AnswerTexts(tokenizer.answer)
    one = most_probable_answers(model, memories, texts, logit_temperature=1.0)
    other = most_probable_answers(model, memories[::-1], texts, logit_temperature=1.0)
    assert one.answers == other.answers
    np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-5)


def test_token_sequences_of_one_text_add_up(model, memories):
    one_text = SimpleNamespace(decode=lambda ids: "same")
    found = most_probable_answers(model, memories, AnswerTexts(one_text), logit_temperature=1.0)
    given = torch.stack(
        [
            torch.nn.functional.pad(t, (0, model.decoder.max_tokens - t.shape[1]))
            for t in (generate_answers(model, memory).tokens for memory in memories)
        ]
    )
    for question in range(QUESTIONS):
        total = sum(
            mean_probability(model, memories, question, ids, 1.0)
            for ids in given[:, question].unique(dim=0)
        )
        assert found.probabilities[question] == pytest.approx(total, rel=1e-4)


def test_padding_adds_nothing_to_the_probability_of_an_answer():
    logits = torch.randn(1, 3, 6, generator=torch.Generator().manual_seed(0))
    tokens = torch.tensor([[4, EOS, PAD]])
    expected = logits.log_softmax(-1)[0, 0, 4] + logits.log_softmax(-1)[0, 1, EOS]
    assert sequence_log_probabilities(logits, tokens)[0] == pytest.approx(expected.item())


def test_token_sequences_become_texts_up_to_their_end(tokenizer):
    ids = tokenizer.answer.encode(["yes"])[0]
    texts = AnswerTexts(tokenizer.answer)(torch.tensor([[*ids, 2, 0], [*ids, 2, *ids], [2, 0, 0]]))
    assert texts == ["yes", "yes", ""]


def test_the_likeliest_answers_differ_fall_and_have_the_probability_they_say(
    model, memories, tokenizer
):
    texts = AnswerTexts(tokenizer.answer)
    found = likeliest_answers(model, memories[0], texts, most=4, logit_temperature=1.5)
    assert len(found) == QUESTIONS
    for question, ranked in enumerate(found):
        answers, shares = zip(*ranked, strict=True)
        assert len(set(answers)) == len(answers) == 4
        assert sorted(shares, reverse=True) == list(shares)
        ids = tokenizer.answer.encode([answers[0]])[0]
        room = model.decoder.max_tokens
        tokens = torch.tensor([*ids, EOS][:room])
        alone = mean_probability(model, memories[:1], question, tokens, 1.5)
        assert shares[0] == pytest.approx(alone, rel=1e-3)
    greedy = most_probable_answers(model, memories[:1], texts, logit_temperature=1.5)
    best = np.array([ranked[0][1] for ranked in found])
    # the search may lose sight of a greedy answer, but seldom
    assert (best >= 0.999 * greedy.probabilities).mean() > 0.9
    assert best.sum() > greedy.probabilities.sum()
