"""Backbones that a hub or a folder describes, with real folders of both kinds."""

import json
import shutil

import pytest
import timm
import torch
from safetensors.torch import save_file

from latentvqa.errors import ConfigError
from latentvqa.models import create_backbone, description_of, whole_weights
from tests.described_models import hub_model, model_folder


def test_a_model_of_timm_s_own_needs_no_description():
    assert description_of("test_resnet") == ""


@pytest.mark.parametrize("stride", [None, 8])
def test_a_described_model_is_built_again_when_its_folder_is_gone(tmp_path, stride):
    folder = model_folder(tmp_path / "model")
    name = f"local-dir:{folder}"
    described = description_of(name)
    first, preparation = create_backbone(name, stride=stride)
    shutil.rmtree(folder)
    again, same = create_backbone(name, stride=stride, description=described)
    again.load_state_dict(first.state_dict())
    assert preparation == same
    assert preparation.mean == (0.1, 0.2, 0.3)
    assert whole_weights(name, again, described).keys() == (
        timm.create_model("test_resnet").state_dict().keys()
    )


def test_a_hub_is_asked_for_the_description_and_no_more(tmp_path, monkeypatch):
    name = hub_model(tmp_path / "hub", monkeypatch)
    described = description_of(name)
    assert "label" not in described
    shutil.rmtree(tmp_path / "hub")
    backbone, preparation = create_backbone(name, description=described)
    assert preparation.mean == (0.1, 0.2, 0.3)
    assert backbone.state_dict().keys()


def test_a_file_of_weights_comes_before_those_of_the_hub(tmp_path, monkeypatch):
    name = hub_model(tmp_path / "hub", monkeypatch)
    torch.manual_seed(3)
    known = timm.create_model("test_resnet", num_classes=0).state_dict()
    save_file(known, tmp_path / "w.safetensors")
    backbone, _ = create_backbone(
        name, pretrained=tmp_path / "w.safetensors", description=description_of(name)
    )
    assert torch.equal(backbone.state_dict()["conv1.0.weight"], known["conv1.0.weight"])


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_what_describes_nothing_is_one_sentence(tmp_path, content):
    folder = tmp_path / "model"
    folder.mkdir()
    if content is not None:
        (folder / "config.json").write_text(content)
    name = f"local-dir:{folder}"
    with pytest.raises(ConfigError, match=r"^vision\.name = '.*' cannot be built: ") as caught:
        create_backbone(name, description=description_of(name))
    assert "\n" not in str(caught.value)


def test_a_description_leads_to_no_hub(tmp_path, monkeypatch):
    described = json.dumps({"architecture": hub_model(tmp_path / "hub", monkeypatch)})
    with pytest.raises(ConfigError, match="cannot be built"):
        create_backbone("local-dir:x", description=described)
