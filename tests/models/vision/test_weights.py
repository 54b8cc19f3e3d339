"""Weights files as people have them: every wrapping and naming loads whole, or says why not."""

import json

import pytest
import timm
import torch
import transformers
from safetensors.torch import load_file, save_file

from latentvqa.errors import ConfigError
from latentvqa.models import create_backbone
from latentvqa.models.vision.weights import (
    blank_state,
    read_weights,
    require_weights_file,
    unfilled,
    without_prefix,
)

NAME = "test_vit"
SIDE, PATCH = 64, 16


@pytest.fixture(scope="module")
def state():
    """Weights of a whole model with its classifier, none of them as they are initialised."""
    torch.manual_seed(7)
    whole = timm.create_model(NAME, pretrained=False).state_dict()
    return {name: torch.randn_like(one) for name, one in whole.items()}


def assert_loaded(path, state, name=NAME):
    backbone, _ = create_backbone(name, pretrained=path)
    loaded = backbone.state_dict()
    assert len(loaded) > 70
    assert all(torch.equal(one, state[key]) for key, one in loaded.items())


@pytest.mark.parametrize("suffix", ["safetensors", "bin", "pth", "pt"])
def test_the_suffixes_that_people_have(tmp_path, state, suffix):
    path = tmp_path / f"weights.{suffix}"
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    assert_loaded(path, state)


def prefixed(state, prefix):
    return {f"{prefix}{name}": one for name, one in state.items()}


WRAPPINGS = {
    "state_dict": lambda state: {"state_dict": state, "epoch": 3, "optimizer": {"lr": 0.1}},
    "model": lambda state: {"model": state, "args": [1, "two"]},
    "model_ema": lambda state: {"model": blank_state(state), "model_ema": state},
    "state_dict_ema": lambda state: {"state_dict": blank_state(state), "state_dict_ema": state},
    "module": lambda state: prefixed(state, "module."),
    "module in state_dict": lambda state: {"state_dict": prefixed(state, "module.")},
    "compiled": lambda state: prefixed(state, "_orig_mod."),
    "backbone": lambda state: prefixed(state, "backbone."),
    "lightning": lambda state: {
        "state_dict": {**prefixed(state, "model.backbone."), "model.loss.weight": torch.ones(3)}
    },
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_wrappings_of_a_training_go(tmp_path, state, wrapping):
    path = tmp_path / "checkpoint.pth"
    torch.save(WRAPPINGS[wrapping](state), path)
    assert_loaded(path, state)


def test_reading_leaves_the_random_state_as_one_creation_does(tmp_path, state):
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    torch.manual_seed(3)
    create_backbone(NAME)
    expected = torch.rand(4)
    torch.manual_seed(3)
    create_backbone(NAME, pretrained=path)
    assert torch.equal(torch.rand(4), expected)


def test_the_backbone_keeps_no_copy_of_the_file(tmp_path, state):
    path = tmp_path / "weights.safetensors"
    save_file(state, path)
    for stride in (None, 16):
        backbone, _ = create_backbone(NAME, pretrained=path, stride=stride)
        assert not (getattr(backbone, "pretrained_cfg", None) or {}).get("state_dict")


def fault_of(path, name=NAME, **options):
    with pytest.raises(ConfigError) as caught:
        create_backbone(name, pretrained=path, **options)
    message = str(caught.value)
    assert message.startswith("vision.pretrained: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("left_out", "stride"),
    [("blocks.5.", None), ("pos_embed", None), ("norm.", None), ("blocks.1.", 16)],
)
def test_a_part_of_the_weights_is_never_taken_in_silence(tmp_path, state, left_out, stride):
    path = tmp_path / "part.safetensors"
    kept = {key: one for key, one in state.items() if not key.startswith(left_out)}
    save_file(kept, path)
    count = len(create_backbone(NAME, stride=stride)[0].state_dict())
    taken = count - (len(state) - len(kept))
    message = fault_of(path, stride=stride)
    assert f"holds {taken} of the {count} tensors of {NAME!r}; it lacks" in message
    assert left_out in message


def test_names_that_timm_has_no_use_for_are_not_listed(tmp_path, state, capfd):
    path = tmp_path / "more.safetensors"
    save_file({**state, "extra.weight": torch.ones(1)}, path)
    assert_loaded(path, state)
    assert capfd.readouterr().err == ""


def test_of_another_size_the_shapes_are_told(tmp_path, state):
    path = tmp_path / "wide.pth"
    wide = {key: torch.cat([one, one]) if one.ndim == 1 else one for key, one in state.items()}
    torch.save(wide, path)
    message = fault_of(path)
    assert f"of its {len(state)} tensors have another shape" in message
    assert "(128) in the file, (64) in the model" in message


def test_of_another_model_the_names_of_the_file_are_told(tmp_path):
    path = tmp_path / "resnet.safetensors"
    save_file(timm.create_model("test_resnet", pretrained=False).state_dict(), path)
    message = fault_of(path)
    assert "none of the 78 tensors of 'test_vit' is in it, but " in message


def test_pickled_code_is_never_run(tmp_path, state):
    path, ran = tmp_path / "whole.pth", tmp_path / "ran"
    code = type("Runs", (), {"__reduce__": lambda self: (open, (str(ran), "w"))})()
    torch.save({"state_dict": state, "model": code}, path)
    message = fault_of(path)
    assert not ran.exists()
    assert "pickled code is never run" in message
    assert "torch.save(model.state_dict(), FILE)" in message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"epoch": 3}, "epoch"),
        ([1, 2], "cannot be read"),
        ({"teacher": {}, "student": {}}, "teach"),
    ],
)
def test_what_holds_no_tensors_by_name_is_refused(tmp_path, content, said):
    path = tmp_path / "odd.pth"
    torch.save(content, path)
    assert said in fault_of(path)


def test_two_models_in_one_file_are_not_mixed(tmp_path, state):
    path = tmp_path / "two.pth"
    torch.save(prefixed(state, "student.") | prefixed(state, "teacher."), path)
    assert "none of the 78 tensors" in fault_of(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"vision\.pretrained: .*gone\.pth"):
        require_weights_file(tmp_path / "gone.pth")


def test_a_prefix_is_what_stands_before_all_names():
    state = {"a.b.weight": torch.ones(1), "a.c.b.weight": torch.ones(1), "a.b.bias": torch.ones(1)}
    assert without_prefix(state, ["b.weight", "c.b.weight", "b.bias"]).keys() == {
        "b.weight",
        "c.b.weight",
        "b.bias",
    }
    assert without_prefix({"b.weight": torch.ones(1)}, ["b.weight"]) == {}


def test_what_a_blank_file_leaves_is_unfilled():
    blank = blank_state({"a": torch.ones(2), "steps": torch.ones(1, dtype=torch.long)})
    assert unfilled({**blank, "b": torch.zeros(3)}) == ["b"]


# The names of the transformers library.

_SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_IMAGE = {"image_size": SIDE, "patch_size": PATCH}
_VIT = {**_SIZES, **_IMAGE, "intermediate_size": 128, "layer_norm_eps": 1e-6}
_DINO = {**_SIZES, **_IMAGE, "mlp_ratio": 2, "layer_norm_eps": 1e-6}
_BUILT = {"embed_dim": 64, "depth": 2, "num_heads": 2, "mlp_ratio": 2, "patch_size": PATCH}
# the library's kind of model with its shape, and timm's architecture
TOWERS = {
    "ViT": ("ViT", _VIT, "vit_tiny_patch16_224"),
    "ViTForImageClassification": ("ViT", _VIT, "vit_tiny_patch16_224"),
    "Dinov2": ("Dinov2", _DINO, "vit_small_patch14_dinov2"),
    "Dinov2WithRegisters": ("Dinov2WithRegisters", _DINO, "vit_small_patch14_reg4_dinov2"),
    "SiglipVision": (
        "SiglipVision",
        {**_VIT, "hidden_act": "gelu"},
        "vit_base_patch16_siglip_224",
    ),
}


def written_tower(name, folder):
    """A model of the library in ``folder``, its tokens as it has them, and timm's name of it."""
    family, sizes, architecture = TOWERS[name]
    torch.manual_seed(5)
    kind = name if name.startswith("ViTFor") else f"{name}Model"
    config = getattr(transformers, f"{family}Config")(**sizes)
    model = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        for one in model.parameters():
            one.add_(0.1 * torch.randn_like(one))  # else norms and scales are all ones
    model.save_pretrained(folder)
    pictures = torch.randn(2, 3, SIDE, SIDE)
    inner = getattr(model, "vit", model)
    (folder / "timm").mkdir()
    described = {
        "architecture": architecture,
        "model_args": {**_BUILT, "img_size": SIDE},
        "pretrained_cfg": {"input_size": [3, SIDE, SIDE], "num_classes": 0},
    }
    (folder / "timm" / "config.json").write_text(json.dumps(described))
    with torch.no_grad():
        tokens = inner(pixel_values=pictures).last_hidden_state
    return pictures, tokens, f"local-dir:{folder / 'timm'}"


@pytest.mark.parametrize("name", TOWERS)
@torch.no_grad()
def test_a_tower_of_the_transformers_library_says_what_it_says_there(tmp_path, name):
    pictures, expected, timm_name = written_tower(name, tmp_path)
    backbone, _ = create_backbone(
        timm_name,
        pretrained=tmp_path / "model.safetensors",
        description=(tmp_path / "timm" / "config.json").read_text(),
    )
    assert torch.allclose(backbone.eval()(pictures), expected, atol=1e-4)


def test_a_tower_without_all_of_its_layers_is_refused(tmp_path):
    _, _, timm_name = written_tower("Dinov2", tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    del weights["encoder.layer.1.attention.attention.key.bias"]
    save_file(weights, path)
    message = fault_of(path, timm_name, description=(tmp_path / "timm" / "config.json").read_text())
    assert "it lacks blocks.1.attn.qkv.bias." in message


def test_of_a_pair_of_towers_the_one_for_images_is_taken(tmp_path):
    written_tower("SiglipVision", tmp_path)
    path = tmp_path / "model.safetensors"
    vision = load_file(path)
    whole = prefixed(vision, "vision_model.")
    text = {key: one for key, one in vision.items() if key.startswith("encoder.")}
    path = tmp_path / "both.safetensors"
    save_file({**whole, **{f"text_model.{key}": one + 1 for key, one in text.items()}}, path)
    first, second = read_weights(tmp_path / "model.safetensors"), read_weights(path)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
