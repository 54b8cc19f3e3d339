import pytest
import torch

from latentvqa.core.schedules.epochs import learning_rate_factor_at
from latentvqa.engine.assembly import COMPONENTS, components
from latentvqa.engine.training.optimizer import (
    build_optimizer,
    load_optimizer_state,
    optimizer_state,
    peak_rates,
    set_rates,
)
from latentvqa.errors import ConfigError
from tests.tiny import loss_of, tiny_batch, tiny_config, tiny_model

RATES = {
    "vision_rate": 1e-4,
    "question_rate": 2e-4,
    "fusion_rate": 3e-4,
    "latent_rate": 4e-4,
    "decoder_rate": 5e-4,
}

TRANSFORMER = {"name": "test_vit", "image_size": 32, "stride": "last"}
BLOCKS = "vision.backbone.blocks"


@pytest.fixture(scope="module")
def config():
    return tiny_config(optimizer={**RATES, "warmup_share": 0.1, "final_factor": 0.2})


@pytest.fixture
def model():
    return tiny_model()


def names_by_decay(model, config):
    name_of = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {True: set(), False: set()}
    for group in build_optimizer(model, config).param_groups:
        found[group["weight_decay"] > 0] |= {name_of[id(p)] for p in group["params"]}
    return found


def test_every_parameter_is_in_one_group_frozen_ones_included(model, config):
    model.vision.freeze(True)
    held = [id(p) for g in build_optimizer(model, config).param_groups for p in g["params"]]
    assert len(held) == len(set(held))
    assert set(held) == {id(parameter) for parameter in model.parameters()}


def test_only_matrices_decay(model, config):
    found = names_by_decay(model, config)
    parameters = dict(model.named_parameters())
    assert all(parameters[name].ndim >= 2 for name in found[True])
    assert {
        "question.tokens.weight",
        "question.positions.weight",
        "decoder.tokens.weight",
        "decoder.positions.weight",
        "bottleneck.queries",
        "fusion.summary_query",
        "vision.positions",
        "decoder.norm.weight",
        "fusion.layers.0.gate",
    } <= found[False]
    assert {"bottleneck.mu.weight", "decoder.vocabulary.weight"} <= found[True]


def test_what_a_way_across_the_grid_means_does_not_decay():
    config = tiny_config(vision={"layers": 1, "relative_places": True})
    found = names_by_decay(tiny_model(vision={"layers": 1, "relative_places": True}), config)
    assert "vision.layers.0.way_bias.weight" in found[False]


def test_the_identities_of_the_latent_tokens_do_not_decay(model, config):
    assert "bottleneck.token_embedding" in names_by_decay(model, config)[False]


def test_each_component_has_its_own_rate(model, config):
    optimizer = build_optimizer(model, config)
    rates = set_rates(optimizer, config, step=10, total_steps=100)  # the end of the rise
    assert rates == {name: pytest.approx(RATES[f"{name}_rate"]) for name in COMPONENTS}
    for group in optimizer.param_groups:
        assert group["lr"] == rates[group["component"]]


def test_rates_rise_from_the_first_step_and_fall_to_the_final_factor(model, config):
    optimizer = build_optimizer(model, config)
    decoder = [set_rates(optimizer, config, step, 100)["decoder"] for step in range(101)]
    expected = [5e-4 * learning_rate_factor_at(step, 100, 10, 0.2) for step in range(101)]
    assert decoder == pytest.approx(expected)
    assert decoder[0] == pytest.approx(5e-5)
    assert decoder[100] == pytest.approx(1e-4)
    assert set_rates(optimizer, config, 5000, 100)["decoder"] == pytest.approx(1e-4)


def test_a_constant_schedule_stays_at_the_peak(model):
    config = tiny_config(optimizer={**RATES, "schedule": "constant"})
    optimizer = build_optimizer(model, config)
    assert set_rates(optimizer, config, 99, 100)["decoder"] == pytest.approx(5e-4)


@pytest.mark.parametrize(("warmup", "full", "steps"), [(15, 35, 34), (4, 4, 14), (0, 1, 2)])
def test_the_rates_rise_over_a_tenth_of_the_steps_but_no_more_than_two_epochs(
    model, config, warmup, full, steps
):
    config = config.replace("optimizer", warmup_share="auto", schedule="constant")
    config = config.replace("stages", warmup=warmup, full=full)
    optimizer = build_optimizer(model, config)
    total = 17 * (warmup + full)  # steps of an epoch times epochs
    rates = [set_rates(optimizer, config, step, total)["decoder"] for step in range(total)]
    assert sum(rate < 5e-4 - 1e-9 for rate in rates) in (steps - 1, steps)
    assert rates[-1] == pytest.approx(5e-4)


def test_a_configuration_that_is_not_resolved_is_our_own_bug(config):
    with pytest.raises(ValueError, match=r"not resolved: optimizer\.vision_rate"):
        peak_rates(config.replace("optimizer", vision_rate="auto"))


def train(model, optimizer, config, steps):
    batch = tiny_batch()
    for step in steps:
        set_rates(optimizer, config, step, 10)
        loss_of(model, batch).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


@pytest.mark.parametrize("is_channels_last", [False, True])
def test_training_continued_from_saved_state_has_the_same_bits(config, is_channels_last):
    layout = torch.channels_last if is_channels_last else torch.contiguous_format
    straight, half, resumed = (tiny_model(seed) for seed in (0, 0, 1))
    for model in (straight, half, resumed):
        model.vision.backbone.to(memory_format=layout)
    optimizer = build_optimizer(straight, config)
    train(straight, optimizer, config, range(4))

    optimizer = build_optimizer(half, config)
    train(half, optimizer, config, range(2))
    # as a checkpoint does it: contiguous copies
    saved = {
        k: v.clone(memory_format=torch.contiguous_format)
        for k, v in optimizer_state(optimizer).items()
    }
    resumed.load_state_dict(half.state_dict())
    optimizer = build_optimizer(resumed, config)
    load_optimizer_state(optimizer, {**saved, "rng.cpu": torch.zeros(1)}, resumed)
    train(resumed, optimizer, config, range(2, 4))

    expected = straight.state_dict()
    for name, value in resumed.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_fresh_optimizer_has_no_state_and_takes_none(model, config):
    optimizer = build_optimizer(model, config)
    assert optimizer_state(optimizer) == {}
    load_optimizer_state(optimizer, {}, model)
    train(model, optimizer, config, range(1))


def test_places_and_class_tokens_of_a_transformer_do_not_decay(config):
    model = tiny_model(vision=TRANSFORMER)
    found = names_by_decay(model, config)
    places = {f"vision.backbone.{name}" for name in ("pos_embed", "cls_token")}
    assert places <= set(dict(model.named_parameters()))
    assert places <= found[False]
    assert "vision.backbone.blocks.0.attn.qkv.weight" in found[True]


def test_each_layer_below_the_last_has_a_rate_lower_by_the_decay():
    config = tiny_config(
        vision=TRANSFORMER, optimizer={**RATES, "layer_decay": 0.5, "warmup_share": 0.0}
    )
    model = tiny_model(vision=TRANSFORMER)
    optimizer = build_optimizer(model, config)
    rates = set_rates(optimizer, config, step=0, total_steps=100)
    rate_of = {name: g["lr"] for g in optimizer.param_groups for name in g["param_names"]}
    peak = rates["vision"]
    blocks = 1 + max(int(n.split(".")[3]) for n in rate_of if n.startswith(f"{BLOCKS}."))
    last = f"{BLOCKS}.{blocks - 1}.attn.qkv.weight"
    assert rate_of[last] == pytest.approx(peak)
    assert rate_of[f"{BLOCKS}.{blocks - 2}.attn.qkv.weight"] == pytest.approx(peak / 2)
    assert rate_of["vision.backbone.patch_embed.proj.weight"] == pytest.approx(peak / 2**blocks)
    assert rate_of["bottleneck.mu.weight"] == rates["latent"]


def test_layers_of_a_cut_backbone_are_not_known(model):
    config = tiny_config(optimizer={**RATES, "layer_decay": 0.5})
    with pytest.raises(ConfigError, match=r'layer_decay: .* Set vision\.stride = "last"'):
        build_optimizer(model, config)


@pytest.mark.parametrize("vision", [{}, TRANSFORMER])
def test_moments_that_an_earlier_version_numbered_find_their_parameters(config, vision):
    model = tiny_model(vision=vision)
    optimizer = build_optimizer(model, config)
    train(model, optimizer, config, range(2))
    named = optimizer_state(optimizer)
    # earlier: by component, matrices first, the places of a transformer among them
    spared = {n for n in names_by_decay(model, config)[False] if "pos_embed" not in n}
    spared -= {n for n in spared if "cls_token" in n or "reg_token" in n}
    order = [
        name
        for members in components(model).values()
        for is_spared in (False, True)
        for name, _ in members
        if (name in spared) is is_spared
    ]
    numbered = {}
    for key, value in named.items():
        name, entry = key.removeprefix("optimizer.").split(":")
        numbered[f"optimizer.{order.index(name)}.{entry}"] = value.clone()
    other = build_optimizer(model, config)
    load_optimizer_state(other, numbered, model)
    found = optimizer_state(other)
    assert found.keys() == named.keys()
    assert all(torch.equal(found[key], value) for key, value in named.items())
