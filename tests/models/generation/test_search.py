from itertools import product

import pytest
import torch
from torch.nn import functional as F

from latentvqa.data.tokenizer import BOS, EOS, PAD
from latentvqa.models import AnswerDecoder, generate, search_beams
from latentvqa.objectives import answer_nll

LIMIT = 6
IDS = {"begin_id": BOS, "end_id": EOS, "pad_id": PAD}


def decoder_with(seed, end_bias=0.0):
    torch.manual_seed(seed)
    decoder = AnswerDecoder(vocabulary_size=9, width=8, layers=2, heads=2, max_tokens=LIMIT).eval()
    with torch.no_grad():
        decoder.vocabulary.bias[EOS] += end_bias
        # padding and begin would win if generation did not forbid them
        decoder.vocabulary.bias[[PAD, BOS]] += 1.0
    return decoder


@torch.no_grad()
def whole_forward(decoder, tokens, memory):
    begin = torch.full_like(tokens[:, :1], BOS)
    return decoder(torch.cat([begin, tokens[:, :-1]], 1), memory).log_softmax(-1)


@pytest.fixture(scope="module")
def many():
    """Answers of every length from several decoders: (decoder, memory, generated)."""
    found = []
    for seed in range(4):
        decoder, memory = decoder_with(seed, end_bias=0.5), 2 * torch.randn(40, 3, 8)
        found.append((decoder, memory, generate(decoder, memory, **IDS)))
    return found


def test_the_answers_end_at_different_lengths(many):
    lengths = {int((row != PAD).sum()) for *_, made in many for row in made.tokens}
    assert len(lengths) > 2


def test_cached_generation_takes_the_mode_of_the_whole_forward_at_every_token(many):
    for decoder, memory, made in many:
        scores = whole_forward(decoder, made.tokens, memory)
        scores[..., [PAD, BOS]] = -torch.inf
        is_token = made.tokens != PAD
        assert torch.equal(scores.argmax(-1)[is_token], made.tokens[is_token])


def test_the_confidence_is_the_probability_of_the_whole_sequence_end_token_included(many):
    for decoder, memory, made in many:
        scores = whole_forward(decoder, made.tokens, memory)
        nll = answer_nll(scores, made.tokens, PAD)
        torch.testing.assert_close(made.log_probability, -nll, atol=1e-4, rtol=1e-4)


def test_after_its_end_token_an_answer_is_padding(many):
    for *_, made in many:
        for row in made.tokens.tolist():
            if EOS in row:
                end = row.index(EOS)
                assert PAD not in row[:end]
                assert row[end + 1 :] == [PAD] * (len(row) - end - 1)
            else:
                assert len(row) == LIMIT
                assert PAD not in row


def test_generation_stops_as_soon_as_every_answer_has_ended():
    made = generate(decoder_with(0, end_bias=50.0), torch.randn(3, 2, 8), **IDS)
    assert made.tokens.tolist() == [[EOS]] * 3
    torch.testing.assert_close(made.log_probability, torch.zeros(3), atol=1e-6, rtol=0)


def test_generation_stops_at_the_limit_without_an_end_token():
    made = generate(decoder_with(0, end_bias=-50.0), torch.randn(3, 2, 8), **IDS)
    assert made.tokens.shape == (3, LIMIT)
    assert EOS not in made.tokens


def test_an_answer_does_not_depend_on_the_others_in_its_batch(many):
    decoder, memory, made = many[0]
    alone = generate(decoder, memory[:1], **IDS)
    width = alone.tokens.shape[1]
    assert torch.equal(alone.tokens[0], made.tokens[0, :width])
    torch.testing.assert_close(alone.log_probability[0], made.log_probability[0])


def test_samples_come_as_often_as_their_probability_says():
    torch.manual_seed(0)
    decoder = decoder_with(0)
    with torch.no_grad():
        decoder.vocabulary.bias[[PAD, BOS]] -= 100.0
    memory = torch.randn(1, 2, 8).expand(4000, -1, -1)
    made = generate(decoder, memory, **IDS, is_sampled=True)
    first = made.tokens[:, :1]
    shares = F.one_hot(first[:, 0], 9).float().mean(0)
    expected = whole_forward(decoder, first[:1], memory[:1])[0, 0].exp()
    torch.testing.assert_close(shares, expected, atol=0.03, rtol=0)
    nll = answer_nll(whole_forward(decoder, made.tokens, memory), made.tokens, PAD)
    torch.testing.assert_close(made.log_probability, -nll, atol=1e-4, rtol=1e-4)


def test_begin_and_padding_are_never_generated_as_words(many):
    for *_, made in many:
        assert BOS not in made.tokens
        assert PAD not in made.tokens[:, 0]


@torch.no_grad()
def every_answer(decoder, memory):
    """Log-probability of every answer of a decoder with few words, by its tokens."""
    words = [id_ for id_ in range(9) if id_ not in (PAD, BOS, EOS)]
    answers = [
        [*words_of, EOS] for length in range(2) for words_of in product(words, repeat=length)
    ]
    answers += [list(words_of) for words_of in product(words, repeat=2)]
    found = {}
    for answer in answers:
        scores = whole_forward(decoder, torch.tensor([answer]), memory)[0]
        found[tuple(answer)] = sum(scores[place, id_].item() for place, id_ in enumerate(answer))
    return found


def test_beams_that_keep_everything_find_the_likeliest_answers():
    for seed in range(3):
        torch.manual_seed(seed)
        decoder = AnswerDecoder(vocabulary_size=9, width=8, layers=2, heads=2, max_tokens=2).eval()
        memory = 2 * torch.randn(3, 3, 8)
        made = search_beams(decoder, memory, beams=60, **IDS)
        for row in range(len(memory)):
            known = every_answer(decoder, memory[row : row + 1])
            ranked = sorted(known.items(), key=lambda item: -item[1])
            for (tokens, score), mine, value in zip(
                ranked, made.tokens[row].tolist(), made.log_probability[row].tolist(), strict=False
            ):
                assert tuple(id_ for id_ in mine if id_ != PAD) == tokens
                assert value == pytest.approx(score, abs=1e-4)


def test_one_beam_is_greedy_and_more_are_never_less_likely(many):
    for decoder, memory, greedy in many:
        one, four = (search_beams(decoder, memory, beams=beams, **IDS) for beams in (1, 4))
        assert torch.equal(one.tokens[:, 0], greedy.tokens)
        torch.testing.assert_close(one.log_probability[:, 0], greedy.log_probability)
        assert (four.log_probability.diff(dim=1) <= 0).all()
        assert (four.log_probability[:, 0] >= greedy.log_probability - 1e-4).float().mean() > 0.9


def test_beams_of_a_row_are_different_answers(many):
    decoder, memory, _ = many[0]
    made = search_beams(decoder, memory, beams=5, **IDS)
    for row in made.tokens.tolist():
        assert len({tuple(answer) for answer in row}) == 5
