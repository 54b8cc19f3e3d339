import pytest
import torch
from torch import nn

from latentvqa.models import AveragedWeights
from latentvqa.models.weights import own_state


class Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.trained = nn.Linear(2, 2)
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.norm = nn.BatchNorm1d(2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Part()


def step(model, amount=1.0):
    with torch.no_grad():
        model.trained.weight.add_(amount)
    model.norm.train()(torch.randn(8, 2))


def values(state):
    return {name: value.clone() for name, value in state.items()}


def test_the_average_follows_as_the_decay_says(model):
    average = AveragedWeights(model, decay=0.75)
    expected = start = model.trained.weight.detach().clone()
    for number in range(1, 40):
        step(model)
        average.update(number)
        share = min(0.75, (1 + number) / (10 + number))
        expected = share * expected + (1 - share) * (start + number)
    state, _ = average.state()
    torch.testing.assert_close(state["trained.weight"], expected)
    assert state["norm.num_batches_tracked"] == 39
    assert not torch.equal(state["norm.running_mean"], model.norm.running_mean)
    assert torch.equal(state["frozen.weight"], model.frozen.weight)


def test_inside_the_block_the_model_is_its_average_and_afterwards_itself(model):
    average = AveragedWeights(model, decay=0.9)
    for number in range(1, 4):
        step(model)
        average.update(number)
    before = values(own_state(model))
    expected, _ = average.state()
    with pytest.raises(KeyError), average.in_place():
        inside = own_state(model)
        assert all(torch.equal(inside[name], value) for name, value in expected.items())
        raise KeyError
    after = own_state(model)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_it_goes_on_from_its_state_bit_for_bit(model):
    average = AveragedWeights(model, decay=0.9)
    step(model)
    average.update(1)
    whole, raw = (values(one) for one in average.state())
    assert {name.split(".")[0] for name in raw} == {"trained", "norm"}
    torch.manual_seed(5)
    again_model = Part()
    again = AveragedWeights(again_model, decay=0.9)
    again.load_state(whole, raw)
    for one, other in ((model, average), (again_model, again)):
        torch.manual_seed(1)
        step(one)
        other.update(2)
    for mine, theirs in zip(average.state(), again.state(), strict=True):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
