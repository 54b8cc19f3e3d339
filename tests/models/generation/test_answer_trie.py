"""Answers of a closed list, and a search that stays among them."""

import pytest
import torch

from latentvqa.data.tokenizer import EOS, PAD
from latentvqa.models import AnswerTrie, search_beams
from tests.models.generation.test_search import IDS, decoder_with, whole_forward

A, B, C = 4, 5, 6
ANSWERS = [[A, EOS], [A, B, EOS], [B, EOS], [B, A, C, EOS]]


def test_what_may_follow_are_the_tokens_of_some_answer():
    trie = AnswerTrie(ANSWERS)
    places = torch.zeros(2, dtype=torch.long)
    allowed = [set((~row).nonzero().flatten().tolist()) for row in trie.forbidden(places, 9)]
    assert allowed == [{A, B}, {A, B}]
    after = trie.after(places, torch.tensor([A, B]))
    allowed = [set((~row).nonzero().flatten().tolist()) for row in trie.forbidden(after, 9)]
    assert allowed == [{EOS, B}, {EOS, A}]
    gone = trie.after(after, torch.tensor([C, EOS]))
    assert gone[0] == -1 and trie.forbidden(gone, 9).all()
    assert trie.after(gone, torch.tensor([A, A])).tolist() == [-1, -1]


def test_an_empty_list_or_answer_is_refused():
    for answers in ([], [[]]):
        with pytest.raises(ValueError, match="at least one answer"):
            AnswerTrie(answers)


@pytest.mark.parametrize("seed", range(5))
def test_the_likeliest_answer_of_the_list_is_found_with_its_probability(seed):
    decoder, memory = decoder_with(seed, end_bias=-3.0), 2 * torch.randn(30, 3, 8)
    made = search_beams(decoder, memory, beams=6, allowed=AnswerTrie(ANSWERS), **IDS)
    scores = []
    for answer in ANSWERS:
        tokens = torch.tensor(answer)[None].expand(len(memory), -1)
        gained = whole_forward(decoder, tokens, memory).gather(2, tokens[..., None])
        scores.append(gained[..., 0].sum(1))
    whole, best = torch.stack(scores, 1).max(1)
    found = [[token for token in row.tolist() if token != PAD] for row in made.tokens[:, 0]]
    assert found == [ANSWERS[place] for place in best.tolist()]
    torch.testing.assert_close(made.log_probability[:, 0], whole, atol=1e-4, rtol=1e-4)
    written = made.tokens[made.log_probability > -torch.inf].unique()
    assert set(written.tolist()) <= {PAD, EOS, A, B, C}
    # beams beyond the list are empty places
    assert (made.log_probability > -torch.inf).sum(1).tolist() == [len(ANSWERS)] * len(memory)
