import pytest

from latentvqa.errors import ConfigError
from latentvqa.models import create_backbone
from latentvqa.models.vision.backbone_layers import layers_of, spared_of


@pytest.mark.parametrize(
    ("name", "first", "last", "count"),
    [
        ("test_vit", "patch_embed.proj.weight", "norm.weight", 7),
        ("resnet18", "conv1.weight", "layer4.1.bn2.weight", 9),
    ],
)
def test_layers_are_counted_from_the_pixels(name, first, last, count):
    backbone, _ = create_backbone(name, image_size=64)
    layers = layers_of(backbone, "optimizer.layer_decay")
    assert layers.keys() == dict(backbone.named_parameters()).keys()
    assert layers[first] == 0
    assert layers[last] == max(layers.values()) == count - 1


def test_layers_of_a_cut_backbone_are_refused():
    backbone, _ = create_backbone("resnet18", image_size=64, stride=8)
    with pytest.raises(ConfigError, match=r"vision\.trained_layers"):
        layers_of(backbone, "vision.trained_layers")


def test_a_library_spares_places_and_class_tokens():
    backbone, _ = create_backbone("test_vit", image_size=64)
    assert {"pos_embed", "cls_token"} <= spared_of(backbone)
    assert spared_of(create_backbone("resnet18", image_size=64)[0]) == set()
