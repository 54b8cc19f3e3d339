import pytest
from pydantic import BaseModel, ValidationError

from latentvqa.config import Config
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
    assert (config.early_stopping.patience, config.early_stopping.target) == (5, 0.8)
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
