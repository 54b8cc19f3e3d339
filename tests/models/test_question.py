import pytest
import torch

from latentvqa.models import QuestionEncoder


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return QuestionEncoder(vocabulary_size=10, width=8, layers=2, heads=2, max_tokens=6).eval()


def test_padding_does_not_change_the_tokens_before_it(encoder):
    short, mask = encoder(torch.tensor([[4, 5, 6]]))
    long, long_mask = encoder(torch.tensor([[4, 5, 6, 0, 0]]))
    torch.testing.assert_close(long[:, :3], short)
    assert mask.tolist() == [[True] * 3]
    assert long_mask.tolist() == [[True] * 3 + [False] * 2]


def test_the_order_of_the_words_matters(encoder):
    one, _ = encoder(torch.tensor([[4, 5]]))
    other, _ = encoder(torch.tensor([[5, 4]]))
    assert not torch.allclose(one.sum(1), other.sum(1))


def test_a_question_of_padding_alone_is_encoded_without_nan(encoder):
    vectors, mask = encoder(torch.tensor([[0, 0], [4, 5]]))
    assert bool(torch.isfinite(vectors).all())
    assert mask[0].tolist() == [True, False]


def test_words_are_hidden_at_random_in_training_and_never_all_of_them():
    torch.manual_seed(0)
    encoder = QuestionEncoder(
        vocabulary_size=10, width=8, layers=1, heads=2, max_tokens=6, word_dropout=0.5
    )
    tokens = torch.tensor([[4, 5, 6, 0], [4, 0, 0, 0]]).repeat(200, 1)
    whole = encoder.eval()(tokens)[1]
    seen = encoder.train()(tokens)[1]
    assert whole.tolist() == (tokens != 0).tolist()
    assert not bool((seen & ~whole).any())
    assert bool(seen.any(dim=1).all())
    assert 0.3 < 1 - seen[::2].sum() / whole[::2].sum() < 0.6
