import torch

from latentvqa.models import VisionEncoder, create_backbone
from latentvqa.models.vision.relating import RelatingLayer

WIDTH = 12


def layer_of(grid):
    torch.manual_seed(0)
    return RelatingLayer(WIDTH, 4, 0.0, grid)


def patches_of(count):
    return torch.randn(2, count, WIDTH, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_a_layer_begins_as_if_it_was_not_there():
    patches = patches_of(6)
    torch.testing.assert_close(layer_of((2, 3)).eval()(patches), patches)


@torch.no_grad()
def test_an_encoder_with_such_layers_begins_as_one_without():
    backbone, preparation = create_backbone("test_resnet", image_size=64, stride=8)
    plain, relating = (
        VisionEncoder(backbone=backbone, preparation=preparation, width=WIDTH, **options).eval()
        for options in ({}, {"layers": 2, "relative_places": True})
    )
    missing = relating.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing
    assert set(missing) == {name for name in relating.state_dict() if name.startswith("layers.")}
    images = torch.arange(2 * 3 * 64 * 64).view(2, 3, 64, 64).to(torch.uint8)
    torch.testing.assert_close(relating(images), plain(images))


def test_each_way_across_the_grid_has_a_bias_of_its_own():
    layer = layer_of((2, 3))
    assert layer.way_bias.weight.shape == (15, 4)  # three ways down, five ways along
    expected = [
        [(row - r + 1) * 5 + column - c + 2 for r in range(2) for c in range(3)]
        for row in range(2)
        for column in range(3)
    ]
    assert layer.ways.tolist() == expected


@torch.no_grad()
def test_a_patch_can_look_one_place_to_the_right_whatever_stands_there():
    layer = layer_of((3, 3)).eval()
    layer.way_bias.weight[2 * 5 + 1] = 100.0  # from a patch to the one right of it
    torch.nn.init.eye_(layer.attention.output.weight)
    patches = patches_of(9)
    _, value = layer.attention.project(layer.attention_norm(patches))
    read = layer(patches) - patches
    values = value.transpose(1, 2).flatten(2)  # (2, 9, WIDTH)
    for left, right in ((0, 1), (1, 2), (3, 4), (7, 8)):
        torch.testing.assert_close(read[:, left], values[:, right])


def test_the_ways_are_learnt():
    layers = torch.nn.Sequential(layer_of((3, 3)), layer_of((3, 3)))
    optimizer = torch.optim.SGD(layers.parameters(), lr=0.1)
    before = [layer.way_bias.weight.clone() for layer in layers]
    for _ in range(2):  # nothing passes a branch before its last weight has moved
        optimizer.zero_grad()
        (layers(patches_of(9)) - 1).square().sum().backward()
        optimizer.step()
    for layer, was in zip(layers, before, strict=True):
        assert not torch.equal(layer.way_bias.weight, was)
