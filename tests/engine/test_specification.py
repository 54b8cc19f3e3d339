import json
from pathlib import Path

import pytest

from latentvqa.engine.assembly import build_model
from latentvqa.engine.specification import ModelSpecification, specify
from latentvqa.errors import CheckpointError
from tests.tiny import tiny_config, tiny_tokenizers

SOURCE = Path("model.json")


def test_a_specification_comes_back_from_plain_values():
    vision = {"trained_layers": 2, "fixed_statistics": True, "stride": "last", "drop_path": 0.1}
    spec = specify(tiny_config(vision=vision), tiny_tokenizers())
    assert (spec.vision_trained_layers, spec.vision_fixed_statistics) == (2, True)
    assert ModelSpecification.from_json(json.loads(json.dumps(spec.to_json())), SOURCE) == spec


def test_a_new_transformer_from_scratch_has_all_of_its_layers():
    config = tiny_config(vision={"name": "test_vit", "image_size": 32, "stride": 16})
    spec = specify(config, tiny_tokenizers())
    assert spec.stride is None
    named = {name for name, _ in build_model(spec).vision.backbone.named_parameters()}
    assert any(name.startswith("blocks.5.") for name in named)


def test_what_an_earlier_version_did_not_know_has_its_default():
    spec = specify(tiny_config(), tiny_tokenizers())
    values = spec.to_json()
    for name in ("vision_trained_layers", "vision_lora_rank", "fusion_kind", "answer_model"):
        del values[name]
    assert ModelSpecification.from_json(values, SOURCE) == spec


@pytest.mark.parametrize("change", [{"width": None}, {"colour": 3}])
def test_values_of_another_shape_name_their_file(change):
    values = {**specify(tiny_config(), tiny_tokenizers()).to_json(), **change}
    values = {name: value for name, value in values.items() if value is not None or name != "width"}
    with pytest.raises(CheckpointError, match=r"model\.json"):
        ModelSpecification.from_json(values, SOURCE)
