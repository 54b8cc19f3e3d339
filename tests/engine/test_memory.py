"""Models that are larger than any memory, which are never built."""

import math
from dataclasses import replace

import pytest
import torch

from latentvqa.engine.assembly import build_model, components
from latentvqa.engine.memory import ParameterCount, parameter_counts, require_memory
from latentvqa.engine.runtime.device import memory_of
from latentvqa.engine.specification import specify
from latentvqa.errors import ConfigError
from tests.tiny import tiny_config, tiny_tokenizers

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def spec():
    return specify(tiny_config(), tiny_tokenizers())


def test_what_is_counted_is_what_is_built(spec):
    built = components(build_model(spec))
    sizes = {name: sum(one.numel() for _, one in members) for name, members in built.items()}
    assert parameter_counts(spec) == {name: ParameterCount(n, n) for name, n in sizes.items()}
    require_memory(spec, CPU)


def test_a_model_beyond_all_memory_is_refused_with_its_size_and_the_keys_to_lower(spec):
    absurd = replace(spec, width=2**16, fusion_layers=100)
    with pytest.raises(ConfigError) as caught:
        require_memory(absurd, CPU)
    count = sum(one.whole for one in parameter_counts(absurd).values())
    message = str(caught.value)
    assert f"{count:,} parameters: training needs {count * 16 / 1e9:,.1f} GB" in message
    assert "Lower fusion.width, fusion.layers, vision.layers" in message


def test_a_backbone_that_stays_frozen_counts_with_its_weights_alone(spec, monkeypatch):
    counts = {name: one.whole for name, one in parameter_counts(spec).items()}
    rest = 16 * (sum(counts.values()) - counts["vision"])
    monkeypatch.setattr("latentvqa.engine.memory.memory_of", lambda _: rest + 4 * counts["vision"])
    require_memory(spec, CPU, is_backbone_trained=False)
    with pytest.raises(ConfigError, match=r"Lower .*fusion\.width"):
        require_memory(spec, CPU)


def test_where_the_system_tells_no_memory_nothing_is_refused(spec, monkeypatch):
    monkeypatch.setattr("latentvqa.engine.memory.memory_of", lambda _: math.inf)
    require_memory(replace(spec, width=2**16), CPU)
    assert memory_of(CPU) > 0
