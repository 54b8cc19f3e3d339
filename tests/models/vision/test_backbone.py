import time

import pytest
import timm
import torch
from safetensors.torch import save_file

from latentvqa.errors import ConfigError
from latentvqa.models import create_backbone, cut_stride
from latentvqa.models.vision.backbone import whole_weights


def test_a_cut_backbone_is_prepared_like_the_whole_one():
    whole = create_backbone("test_resnet")[1]
    assert create_backbone("test_resnet", stride=8)[1] == whole


@torch.no_grad()
def test_branches_are_skipped_in_training_and_never_in_use():
    images = torch.randn(4, 3, 32, 32)
    found = {}
    for chance in (0.0, 0.5):
        torch.manual_seed(0)
        model, _ = create_backbone("test_vit", image_size=32, drop_path=chance)
        found[chance] = [model.train()(images), model(images), model.eval()(images)]
    assert torch.equal(*found[0.0][:2])
    assert not torch.equal(*found[0.5][:2])
    assert torch.equal(found[0.0][2], found[0.5][2])


def test_a_backbone_without_branches_to_skip_is_refused():
    with pytest.raises(ConfigError, match=r"vision.drop_path: 'dla46x_c' has no branches"):
        create_backbone("dla46x_c", drop_path=0.1)


def test_a_backbone_of_one_stride_is_taken_whole():
    assert cut_stride("test_vit", 16) is None
    assert cut_stride("test_resnet", 16) == 16
    with pytest.raises(ConfigError, match=r"vision.stride = 8: 'test_vit' has the strides \[16\]"):
        cut_stride("test_vit", 8)


def test_a_wrong_name_is_a_config_error():
    with pytest.raises(ConfigError, match=r"vision.name = 'resnet81'.*timm"):
        create_backbone("resnet81")


def test_a_wrong_name_is_named_as_such_where_a_stride_is_asked_for():
    with pytest.raises(ConfigError, match=r"vision.name = 'resnet81'.*timm"):
        create_backbone("resnet81", stride=16)


@pytest.mark.parametrize("stride", [None, 16])
@pytest.mark.parametrize("pretrained", [False, True])
@pytest.mark.parametrize(
    "name", ["hf-hub:no-owner/no-model", "local-dir:/nowhere", "resnet18.", "resnet18.nope", "a\0b"]
)
def test_a_model_that_is_nowhere_is_one_sentence_however_it_is_asked_for(name, stride, pretrained):
    with pytest.raises(ConfigError, match=r"^vision\.(name|pretrained) = .*") as caught:
        create_backbone(name, stride=stride, pretrained=pretrained)
    assert "\n" not in str(caught.value)


def test_a_wrong_stride_is_a_config_error_that_lists_the_strides():
    with pytest.raises(ConfigError, match=r"vision.stride = 7: .*\[2, 4, 8, 16, 32\]"):
        create_backbone("resnet18", stride=7)


@pytest.fixture
def weights(tmp_path):
    """A weights file as timm's hub has them."""
    torch.manual_seed(7)
    path = tmp_path / "model.safetensors"
    save_file(timm.create_model("test_resnet", pretrained=False).state_dict(), path)
    return path


@pytest.mark.parametrize("stride", [None, 8])
def test_local_weights_are_loaded(weights, stride):
    torch.manual_seed(0)
    backbone, _ = create_backbone("test_resnet", pretrained=weights, stride=stride)
    torch.manual_seed(7)
    expected = timm.create_model("test_resnet", pretrained=False).state_dict()
    loaded = backbone.state_dict()
    assert set(loaded) <= set(expected)
    assert all(torch.equal(value, expected[name]) for name, value in loaded.items())


def test_absent_weights_are_a_config_error_that_names_the_file(tmp_path):
    path = tmp_path / "absent.safetensors"
    with pytest.raises(ConfigError, match=r"vision.pretrained: .*absent\.safetensors"):
        create_backbone("test_resnet", pretrained=path)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_damaged_weights_are_a_config_error_that_names_the_file(tmp_path, suffix):
    path = tmp_path / f"torn.{suffix}"
    path.write_bytes(b"junk" * 10)
    with pytest.raises(ConfigError, match=r"vision.pretrained: .*torn"):
        create_backbone("test_resnet", pretrained=path)


@pytest.mark.parametrize("stride", [None, 16])
def test_the_weights_of_another_model_are_a_config_error(weights, stride):
    with pytest.raises(ConfigError, match=r"vision.pretrained: .*test_vit"):
        create_backbone("test_vit", pretrained=weights, stride=stride)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


@pytest.mark.usefixtures("empty_cache")
def test_without_network_pretrained_weights_are_one_quick_config_error():
    start = time.monotonic()
    with pytest.raises(ConfigError, match=r"(?s)vision.pretrained = true: .*'resnet18'.*model"):
        create_backbone("resnet18", pretrained=True)
    assert time.monotonic() - start < 10  # it does not wait for a network


@pytest.mark.usefixtures("empty_cache")
def test_without_network_the_error_names_the_file_to_fetch():
    with pytest.raises(ConfigError, match=r"timm/resnet18\.a1_in1k.*model\.safetensors"):
        create_backbone("resnet18", pretrained=True)


@pytest.mark.parametrize(("size", "stride"), [(None, None), (64, None), (None, 8), (48, 4)])
def test_the_preparation_is_of_the_size_that_was_asked_for(size, stride):
    own = timm.get_pretrained_cfg("test_resnet").input_size[-1]
    _, preparation = create_backbone("test_resnet", image_size=size, stride=stride)
    assert preparation.size == (size or own)
    assert len(preparation.mean) == len(preparation.std) == 3


@pytest.mark.parametrize("stride", [4, 8, 16])
@torch.no_grad()
def test_a_cut_backbone_gives_a_map_of_that_stride(stride):
    backbone, _ = create_backbone("test_resnet", stride=stride)
    (features,) = backbone.eval()(torch.zeros(1, 3, 64, 64))
    assert features.shape[-2:] == (64 // stride, 64 // stride)


def test_a_transformer_cannot_be_cut_below_its_patches():
    with pytest.raises(ConfigError, match=r"vision\.stride = 8: .*has the strides \[16\]"):
        create_backbone("test_vit", stride=8)


@pytest.mark.parametrize(
    ("name", "stride"), [("test_resnet", 8), ("test_resnet", None), ("test_vit", None)]
)
def test_taken_out_weights_load_into_the_same_backbone_again(name, stride, tmp_path):
    torch.manual_seed(1)
    trained, _ = create_backbone(name, stride=stride)
    path = tmp_path / "own.safetensors"
    whole = whole_weights(name, trained)
    assert whole.keys() == timm.create_model(name, pretrained=False).state_dict().keys()
    save_file(whole, path)
    torch.manual_seed(2)
    loaded, _ = create_backbone(name, stride=stride, pretrained=path)
    expected = trained.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in loaded.state_dict().items())
