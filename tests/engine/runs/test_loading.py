import shutil

import pytest
import torch
from safetensors.torch import save_file

from latentvqa.engine.assembly import build_model, pretrained_weights
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.loading import export_backbone, load_model
from latentvqa.engine.specification import specify
from latentvqa.models import create_backbone, whole_weights
from tests.described_models import hub_model
from tests.small_runs import BRIEF, small_config, train_small
from tests.tiny import tiny_tokenizers


def test_an_exported_backbone_is_loaded_by_vision_pretrained(finished, tmp_path):
    path = tmp_path / "backbones" / "own.safetensors"
    path.parent.mkdir()
    export_backbone(finished.run, path)
    torch.manual_seed(3)
    config = small_config(f"vision.pretrained={path}")
    model = build_model(specify(config, tiny_tokenizers()), pretrained_weights(config))
    trained = load_checkpoint(finished.run / "best").weights
    loaded = model.vision.backbone.state_dict()
    assert loaded
    for name, value in loaded.items():
        assert torch.equal(value, trained[f"vision.backbone.{name}"]), name


@pytest.mark.parametrize(
    ("name", "stride"),
    [
        ("test_resnet", None),
        ("test_convnext", 16),  # a cut one joins stage and number
        ("test_vit", 16),  # a transformer is wrapped
        ("test_vit", None),
        ("test_mambaout", 8),
    ],
)
def test_weights_of_any_backbone_come_back(name, stride, tmp_path):
    torch.manual_seed(0)
    backbone, _ = create_backbone(name, image_size=64, stride=stride)
    path = tmp_path / "weights.safetensors"
    save_file(whole_weights(name, backbone), path)
    torch.manual_seed(1)
    again, _ = create_backbone(name, image_size=64, stride=stride, pretrained=path)
    expected = backbone.state_dict()
    assert expected.keys() == again.state_dict().keys()
    assert all(torch.equal(value, expected[key]) for key, value in again.state_dict().items())


def test_a_checkpoint_of_a_hub_s_model_is_loaded_when_the_hub_is_gone(tmp_path, monkeypatch):
    name = hub_model(tmp_path / "hub", monkeypatch)
    run = train_small(tmp_path / "run", *BRIEF, f"vision.name={name}").run
    shutil.rmtree(tmp_path / "hub")
    loaded = load_model(run)
    assert loaded.spec.vision_name == name
    assert loaded.model.vision.mean.flatten().tolist() == pytest.approx([25.5, 51.0, 76.5])
    export_backbone(run, tmp_path / "backbone.safetensors")


def test_an_evaluation_prices_the_kl_as_the_validation_did(tmp_path):
    run = train_small(tmp_path, *BRIEF, "kl.warmup_by=step").run
    settings = load_model(run / "last").scoring_settings(batch_size=64)
    progress = load_checkpoint(run / "last").trainer["progress"]
    assert settings.effective_weight == progress["weight"] > 0.0
