import time

import pytest
import timm
import torch
from safetensors.torch import save_file

from latentvqa.errors import ConfigError
from latentvqa.models import VisionEncoder, create_backbone

WIDTH = 12


def encoder(name, **options):
    torch.manual_seed(0)
    backbone, preparation = create_backbone(name, **options)
    return VisionEncoder(backbone=backbone, preparation=preparation, width=WIDTH)


def pixels(size, count=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), generator=generator).to(torch.uint8)


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def moved(before, module):
    after = module.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize(
    ("name", "options", "patches"),
    [
        ("resnet18", {"image_size": 64, "stride": 8}, 64),
        ("resnet18", {"image_size": 64}, 4),
        ("test_vit", {"image_size": 64}, 16),
        ("test_vit", {}, 100),
        ("test_coatnet", {"image_size": 64}, 4),
        ("test_mambaout", {"image_size": 64, "stride": 8}, 64),  # channels last
        ("test_mambaout", {"image_size": 64}, 4),
    ],
)
@torch.no_grad()
def test_backbones_of_any_layout_give_patch_tokens(name, options, patches):
    vision = encoder(name, **options).eval()
    assert vision.patches == patches
    assert vision(pixels(vision.preparation.size)).shape == (2, patches, WIDTH)


@torch.no_grad()
def test_the_prefix_tokens_of_a_vision_transformer_are_dropped():
    vision = encoder("test_vit", image_size=64).eval()
    raw = vision.backbone(torch.zeros(1, 3, 64, 64))
    assert vision.prefix_tokens == 1
    assert raw.shape[1] == 1 + vision.patches
    images = pixels(64)
    normalised = (images.float() - vision.mean) / vision.std
    torch.testing.assert_close(vision.features(images), vision.backbone(normalised)[:, 1:])


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "test_mambaout",  # 16 channels on a map of 16 x 16
    ],
)
@torch.no_grad()
def test_patches_come_row_by_row_whatever_the_layout(name):
    vision = encoder(name, image_size=64, stride=4).eval()
    left = pixels(64, 1)
    right = left.clone()
    right[:, :, :4, -4:] = 255 - right[:, :, :4, -4:]  # the upper right corner alone
    difference = (vision.features(left) - vision.features(right)).abs().sum(-1).view(16, 16)
    row, column = divmod(int(difference.argmax()), 16)
    assert row <= 2
    assert column >= 13


def test_images_are_normalised_as_the_backbone_wants_them():
    vision = encoder("resnet18", image_size=32, stride=4)
    assert vision.preparation.mean == pytest.approx((0.485, 0.456, 0.406))
    white = (torch.full((1, 3, 2, 2), 255.0) - vision.mean) / vision.std
    assert white[0, :, 0, 0].tolist() == pytest.approx(
        [(1 - 0.485) / 0.229, 2.4286, 2.64], abs=1e-3
    )


def test_a_cut_backbone_is_prepared_like_the_whole_one():
    whole = create_backbone("test_resnet")[1]
    assert create_backbone("test_resnet", stride=8)[1] == whole


@torch.no_grad()
def test_the_positions_of_the_patches_differ():
    positions = encoder("resnet18", image_size=64, stride=8).positions
    distance = torch.cdist(positions, positions) + 10 * torch.eye(64)
    assert float(distance.min()) > 0.01


def test_positions_tell_rows_and_columns_from_a_straight_line_of_their_values():
    positions = encoder("resnet18", image_size=80, stride=16).positions.detach()  # 5 x 5
    assert float(positions.mean(0).abs().max()) < 1e-6  # nothing that all patches share
    assert float(positions.square().mean().sqrt()) == pytest.approx(0.5, rel=1e-4)
    for place in (torch.arange(5).repeat_interleave(5), torch.arange(5).repeat(5)):
        wanted = (place - 2.0)[:, None]
        weights = torch.linalg.lstsq(positions, wanted).solution
        torch.testing.assert_close(positions @ weights, wanted, rtol=0, atol=1e-3)


def test_positions_need_no_square_and_one_patch_has_none():
    assert encoder("test_vit", image_size=16).positions.abs().sum() == 0.0


def test_building_an_encoder_moves_no_running_statistics():
    backbone, preparation = create_backbone("test_resnet", image_size=32, stride=8)
    before = state_of(backbone)
    VisionEncoder(backbone=backbone, preparation=preparation, width=WIDTH)
    assert moved(before, backbone) == set()
    assert backbone.training


@pytest.fixture
def trained_step():
    """Train one step of everything that lets itself be trained."""

    def step(vision):
        optimizer = torch.optim.AdamW(vision.parameters(), lr=0.01, weight_decay=0.1)
        vision(pixels(32)).square().mean().backward()
        optimizer.step()

    return step


def test_in_a_frozen_backbone_no_parameter_and_no_buffer_moves(trained_step):
    vision = encoder("test_resnet", image_size=32, stride=8)
    vision.freeze(True)
    vision.train()
    before, projection = state_of(vision.backbone), state_of(vision.project)
    trained_step(vision)
    assert moved(before, vision.backbone) == set()
    assert moved(projection, vision.project) == {"weight", "bias"}


def test_a_frozen_backbone_stays_in_eval_mode_through_train():
    vision = encoder("test_resnet", image_size=32, stride=8)
    vision.freeze(True)
    assert vision.training
    for mode in (True, False, True):
        vision.train(mode)
        assert vision.training is mode
        assert not any(module.training for module in vision.backbone.modules())


def test_unfreezing_really_trains(trained_step):
    vision = encoder("test_resnet", image_size=32, stride=8)
    vision.freeze(True)
    vision.train()
    vision.freeze(False)
    assert all(module.training for module in vision.backbone.modules())
    before = state_of(vision.backbone)
    trained_step(vision)
    trained_step(vision)  # timm's residual branches start at zero
    unmoved = set(before) - moved(before, vision.backbone)
    assert unmoved == set()


def test_freezing_an_encoder_in_eval_mode_leaves_it_there():
    vision = encoder("test_resnet", image_size=32, stride=8).eval()
    vision.freeze(True)
    vision.freeze(False)
    assert not vision.training
    assert not vision.backbone.training


def test_a_wrong_name_is_a_config_error():
    with pytest.raises(ConfigError, match=r"vision.name = 'resnet81'.*timm"):
        create_backbone("resnet81")


def test_a_wrong_name_is_named_as_such_where_a_stride_is_asked_for():
    with pytest.raises(ConfigError, match=r"vision.name = 'resnet81'.*timm"):
        create_backbone("resnet81", stride=16)


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
