import pytest
import torch

from latentvqa.models import AnswerDecoder


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return AnswerDecoder(vocabulary_size=9, width=8, layers=2, heads=2, max_tokens=5).eval()


@torch.no_grad()
def test_decoding_with_a_cache_gives_the_logits_of_the_whole_forward(decoder):
    tokens, memory = torch.randint(1, 9, (3, 5)), torch.randn(3, 4, 8)
    cache = decoder.start(memory)
    stepped = [decoder.step(tokens[:, i], i, cache) for i in range(5)]
    torch.testing.assert_close(torch.stack(stepped, 1), decoder(tokens, memory))


@torch.no_grad()
def test_a_token_is_predicted_from_the_tokens_before_it_alone(decoder):
    tokens, memory = torch.randint(1, 9, (3, 5)), torch.randn(3, 4, 8)
    changed = tokens.clone()
    changed[:, 2:] = (changed[:, 2:] + 1) % 9
    before, after = decoder(tokens, memory), decoder(changed, memory)
    torch.testing.assert_close(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2:], after[:, 2:])


@torch.no_grad()
def test_logits_depend_on_the_memory(decoder):
    tokens = torch.ones(2, 1, dtype=torch.long)
    one, other = decoder(tokens, torch.randn(2, 4, 8))
    assert not torch.allclose(one, other)
