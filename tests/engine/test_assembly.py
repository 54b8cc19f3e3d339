"""From a configuration to a specification to a model, and its parts."""

import json
from pathlib import Path

import pytest
import torch

from latentvqa.engine.assembly import COMPONENTS, build_model, components
from latentvqa.engine.specification import ModelSpecification, specify
from latentvqa.errors import CheckpointError
from tests.tiny import tiny_batch, tiny_config, tiny_tokenizers


def specified(**sections):
    return specify(tiny_config(**sections), tiny_tokenizers())


@pytest.mark.parametrize("bottleneck", ["gaussian", "deterministic", "none"])
def test_a_model_built_from_what_a_checkpoint_holds_answers_bit_for_bit_alike(bottleneck):
    spec = specified(latent={"bottleneck": bottleneck})
    again = ModelSpecification.from_json(json.loads(json.dumps(spec.to_json())), Path("run"))
    assert again == spec
    torch.manual_seed(0)
    model = build_model(spec).eval()
    other = build_model(again).eval()
    other.load_state_dict(model.state_dict())
    batch = tiny_batch()
    one, two = (built.encode(*batch.inputs).fused for built in (model, other))
    assert torch.equal(one, two)


def test_the_shape_is_that_of_the_configuration_and_the_vocabularies():
    spec = specified(latent={"tokens": 5, "dims": 7}, fusion={"width": 24, "heads": 3})
    model = build_model(spec)
    posterior = model.encode(*tiny_batch().inputs).posterior
    assert posterior.mu.shape == (4, 5, 7)
    assert model.encode(*tiny_batch().inputs).fused.shape[-1] == 24
    tokenizers = tiny_tokenizers()
    assert model.decoder.vocabulary.out_features == tokenizers.answer.size
    assert model.question.tokens.num_embeddings == tokenizers.question.size


def test_a_specification_with_missing_or_unknown_keys_names_its_checkpoint():
    values = specified().to_json()
    lacking = {name: value for name, value in values.items() if name != "latent_tokens"}
    for unfit in (lacking, {**values, "layers_of_cake": 3}):
        with pytest.raises(CheckpointError, match=r"checkpoints/7: model\.json does not fit"):
            ModelSpecification.from_json(unfit, Path("checkpoints/7"))
    earlier = {name: value for name, value in values.items() if name != "vision_blind"}
    assert ModelSpecification.from_json(earlier, Path("run")) == specified()


@pytest.mark.parametrize("name", ["hf-hub:somebody/tiny", "local-dir:/somewhere"])
def test_a_specification_that_only_a_hub_could_complete_is_refused(name):
    values = {**specified().to_json(), "vision_name": name}
    with pytest.raises(CheckpointError, match=f"^run: the backbone {name} is recorded .* by name"):
        ModelSpecification.from_json(values, Path("run"))


@pytest.mark.parametrize("bottleneck", ["gaussian", "none"])
def test_every_parameter_belongs_to_one_component(bottleneck):
    model = build_model(specified(latent={"bottleneck": bottleneck}))
    found = components(model)
    names = [name for members in found.values() for name, _ in members]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    expected = set(COMPONENTS) - ({"latent"} if bottleneck == "none" else set())
    assert set(found) == expected
    assert all(name.startswith("vision.backbone.") for name, _ in found["vision"])
    assert any(name.startswith("vision.project") for name, _ in found["fusion"])
