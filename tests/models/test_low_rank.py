import pytest
import torch
from torch import nn

from latentvqa.models.low_rank import add_lora


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(6, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.other(self.one(x))


def test_the_named_layers_get_matrices_of_the_rank_and_begin_as_they_were():
    pytest.importorskip("peft")
    model, x = Pair(), torch.randn(3, 6)
    before = model(x)
    add_lora(model, 2, "vision.lora_rank", ["one"])
    assert torch.equal(model(x), before)
    trained = {n: tuple(p.shape) for n, p in model.named_parameters() if p.requires_grad}
    assert sorted(trained.values()) == [(2, 6), (4, 2)]
    assert all(name.startswith("one.lora_") for name in trained)
