import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from latentvqa.models.weights import load_own_state, own_state, tied_names


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.words.weight
        self.other = nn.Linear(3, 3)


def test_a_tied_weight_is_kept_once_and_stays_tied():
    model = Tied()
    assert tied_names(model) == {"head.weight": "words.weight"}
    written = load(save(own_state(model)))  # the format refuses shared memory
    assert written.keys() == {"words.weight", "other.weight", "other.bias"}
    again = Tied()
    load_own_state(again, written)
    assert torch.equal(again.head.weight, model.words.weight)
    assert again.head.weight is again.words.weight


def test_a_state_that_does_not_fit_is_refused():
    state = own_state(Tied())
    with pytest.raises(RuntimeError, match=r"other\.bias"):
        load_own_state(Tied(), {name: one for name, one in state.items() if name != "other.bias"})
    with pytest.raises(RuntimeError, match="strange"):
        load_own_state(Tied(), {**state, "strange": torch.zeros(1)})
