import pytest
from pydantic import BaseModel, ValidationError

from latentvqa.config import Config, Vision
from latentvqa.core.schedules.epochs import warmup_fraction_at

FIELDS = [
    (f"{section}.{key}", field)
    for section, holder in Config.model_fields.items()
    for key, field in holder.annotation.model_fields.items()
]


@pytest.mark.parametrize(("key", "field"), FIELDS, ids=[key for key, _ in FIELDS])
def test_every_field_is_documented(key, field):
    assert field.description, key
    assert field.description.strip() == field.description


@pytest.mark.parametrize("section", Config.model_fields)
def test_every_section_is_documented_and_frozen(section):
    made = getattr(Config(), section)
    assert isinstance(made, BaseModel)
    assert made.__doc__
    key = next(iter(type(made).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, key, getattr(made, key))


def test_the_defaults_are_those_of_the_recipe():
    config = Config()
    assert (config.latent.tokens, config.latent.dims) == (6, 256)
    assert config.kl.max_weight * config.kl.factor == pytest.approx(3.0)
    assert (config.kl.free_bits, config.kl.reduction) == (0.1, "mean")
    assert (config.stages.baseline, config.stages.warmup, config.stages.full) == (0, 15, 35)
    assert (config.latent.temperature, config.latent.validation_temperature) == (0.6, 0.5)
    assert (config.latent.token_dropout, config.latent.orthogonality_weight) == (0.3, 0.1)
    assert (config.teacher.weight, config.teacher.samples, config.teacher.margin) == (0.3, 3, 0.1)
    assert (config.early_stopping.patience, config.early_stopping.target) == ("auto", 0.8)
    assert (config.optimizer.weight_decay, config.optimizer.clip_norm) == (0.05, 1.0)
    assert config.vision.pretrained is False
    assert config.latent.bottleneck == "gaussian"


@pytest.mark.parametrize(("epoch", "weight"), [(0, 0.0), (5, 1.0), (10, 2.0), (14, 2.8), (15, 3.0)])
def test_the_kl_weight_rises_as_in_the_recipe(epoch, weight):
    config = Config()
    fraction = warmup_fraction_at(epoch, config.kl.warmup_start_epoch, config.stages.warmup)
    assert config.kl.max_weight * config.kl.factor * fraction == pytest.approx(weight)


def test_replacing_keys_leaves_the_rest_and_the_original():
    config = Config()
    changed = config.replace("kl", factor=0.5)
    assert changed.kl.factor == 0.5
    assert changed.kl.model_copy(update={"factor": 0.2}) == config.kl
    assert changed.latent is config.latent


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hf-hub:", "hf-hub:OWNER/MODEL"),
        ("hf_hub:a", "hf-hub:OWNER/MODEL"),
        ("hf-hub:a/b/c", "hf-hub:OWNER/MODEL"),
        ("hf-hub:../x", "hf-hub:OWNER/MODEL"),
        ("hf-hub:a b/c", "hf-hub:OWNER/MODEL"),
        ("hf-hub:a/b\n", "hf-hub:OWNER/MODEL"),
        ("timm/resnet18", "is written hf-hub:timm/resnet18"),
        ("local-dir:", "local-dir:FOLDER"),
        ("https://x.y/z", "write the name of a timm model, hf-hub:OWNER/MODEL or local-dir:"),
        (":", "write the name of a timm model"),
    ],
)
def test_a_name_of_which_no_backbone_can_be_made_is_a_fault_before_torch(name, told):
    with pytest.raises(ValidationError) as caught:
        Vision(name=name)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["resnet18.a1_in1k", "hf-hub:timm/resnet18.a1_in1k", "hf_hub:a/b@v1", "local-dir:../x y"],
)
def test_names_of_every_source_are_accepted(name):
    assert Vision(name=name).name == name
