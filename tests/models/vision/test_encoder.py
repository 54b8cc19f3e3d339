import pytest
import torch

from latentvqa.errors import ConfigError
from latentvqa.models import VisionEncoder, create_backbone

WIDTH = 12


def encoder(name, trained=None, **options):
    torch.manual_seed(0)
    backbone, preparation = create_backbone(name, **options)
    return VisionEncoder(backbone=backbone, preparation=preparation, width=WIDTH, **(trained or {}))


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [("test_vit", {"blocks.4", "blocks.5", "norm.weight", "norm.bias"}), ("resnet18", {"layer4"})],
)
def test_the_last_layers_alone_are_trained(name, expected, trained_step):
    vision = encoder(name, {"trained_layers": 2}, image_size=32)
    vision.freeze(True)
    assert not any(one.requires_grad for one in vision.backbone.parameters())
    vision.freeze(False)
    trained = {n for n, one in vision.backbone.named_parameters() if one.requires_grad}
    assert {next(e for e in expected if n.startswith(e)) for n in trained} == expected
    before = {n: one.detach().clone() for n, one in vision.backbone.named_parameters()}
    trained_step(vision)
    trained_step(vision)  # timm's residual branches start at zero
    after = dict(vision.backbone.named_parameters())
    assert {n for n in before if not torch.equal(before[n], after[n])} == trained


def test_the_layers_of_a_cut_backbone_are_not_known():
    with pytest.raises(ConfigError, match=r'trained_layers: .* Set vision\.stride = "last"'):
        encoder("test_resnet", {"trained_layers": 1}, image_size=32, stride=8)


def test_matrices_of_low_rank_are_trained_and_nothing_else_of_the_backbone(trained_step):
    pytest.importorskip("peft")
    plain, low = (encoder("test_vit", o, image_size=32).eval() for o in (None, {"lora_rank": 2}))
    with torch.no_grad():  # they begin at nothing
        assert torch.equal(plain.features(pixels(32)), low.features(pixels(32)))
    low.freeze(True)
    assert not any(one.requires_grad for one in low.backbone.parameters())
    low.freeze(False)
    trained = {n for n, one in low.backbone.named_parameters() if one.requires_grad}
    assert all("lora_" in n for n in trained)
    assert {n for n in trained if n.startswith("blocks.0.attn.qkv")}
    before = state_of(low.backbone)
    trained_step(low.train())
    assert moved(before, low.backbone)
    assert moved(before, low.backbone) <= trained


def test_fixed_statistics_stay_while_weights_move(trained_step):
    vision = encoder("resnet18", {"fixed_statistics": True}, image_size=32).train()
    before = state_of(vision.backbone)
    trained_step(vision)
    changed = moved(before, vision.backbone)
    assert "layer4.0.conv1.weight" in changed
    assert not any("running" in name or "tracked" in name for name in changed)


@torch.no_grad()
def test_pooled_patches_are_the_means_of_their_part_of_the_grid():
    whole = encoder("test_vit", image_size=64).eval()
    backbone, preparation = whole.backbone, whole.preparation
    pooled = VisionEncoder(backbone=backbone, preparation=preparation, width=WIDTH, pool=2).eval()
    images = pixels(64)
    patches = whole.features(images).unflatten(1, (2, 2, 2, 2))  # 4 x 4 in four parts
    assert pooled.patches == 4
    torch.testing.assert_close(pooled.features(images), patches.mean(dim=(2, 4)).flatten(1, 2))


@torch.no_grad()
def test_a_grid_that_is_small_already_is_not_pooled():
    backbone, preparation = create_backbone("test_vit", image_size=64)
    vision = VisionEncoder(backbone=backbone, preparation=preparation, width=WIDTH, pool=9).eval()
    assert vision.patches == 16


def fitted_to(features):
    torch.manual_seed(0)
    backbone, preparation = create_backbone("test_resnet", image_size=48, stride=8)
    vision = VisionEncoder(backbone=backbone, preparation=preparation, width=16)
    vision.begin_whitened(features)
    return vision


CHANNELS = 48  # of the backbone above


def test_a_norm_that_begins_whitened_tells_images_of_one_kind_apart():
    generator = torch.Generator().manual_seed(0)
    shared = 5 * torch.randn(CHANNELS, generator=generator)
    features = shared + torch.randn(20, 36, CHANNELS, generator=generator)
    seen = fitted_to(features).norm(features).flatten(0, 1)
    assert seen.mean(dim=0).abs().max() < 1e-4
    assert torch.allclose(seen.std(dim=0), torch.ones(CHANNELS), atol=1e-2)


def test_a_direction_of_little_variance_is_projected_as_wide_as_one_of_much():
    generator = torch.Generator().manual_seed(0)
    # twelve directions, each twice as wide as the next; the others hold nothing
    scales = 2.0 ** -torch.arange(12.0)
    axes, _ = torch.linalg.qr(torch.randn(CHANNELS, 12, generator=generator))
    codes = torch.randn(400, 36, 12, generator=generator)
    features = (codes * scales) @ axes.T
    before = spread_of_directions(fitted_to(torch.randn(9, 36, CHANNELS)), features, codes)
    after = spread_of_directions(fitted_to(features), features, codes)
    assert before[:6].max() > 4 * before[:6].min()
    assert after[:6].max() < 2 * after[:6].min()


def spread_of_directions(vision, features, codes):
    """How much of each code a linear reading of the projection's output finds, ``(12,)``."""
    with torch.no_grad():
        shown = vision.project(vision.norm(features)).flatten(0, 1)
    moves = torch.linalg.lstsq(codes.flatten(0, 1), shown - shown.mean(dim=0)).solution
    return moves.norm(dim=1)


def test_channels_that_say_nothing_are_not_blown_up():
    vision = fitted_to(torch.zeros(2, 36, CHANNELS))
    assert vision.norm.weight.abs().max() <= 10
    assert vision.project.weight.abs().max() <= 10
    assert torch.isfinite(vision.norm.bias).all()


def test_fewer_features_than_channels_are_enough():
    features = torch.randn(1, 36, CHANNELS)
    vision = fitted_to(features)
    assert torch.isfinite(vision.project.weight).all()
    assert vision.embed(features).std() < 5
