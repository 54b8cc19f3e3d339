"""One holder of the configuration: whoever asks gets the one in force."""

import pytest
import torch

from latentvqa.engine.runtime.settings import Settings
from tests.tiny import tiny_config


def settings_of(config):
    return Settings(config, torch.device("cpu"), "fp32")


def test_a_change_reaches_the_kl_and_leaves_the_beginning_known():
    config = tiny_config(kl={"factor": 0.2, "free_bits": 0.1})
    settings = settings_of(config)
    assert settings.config is settings.initial is config
    settings.adopt(config.replace("kl", factor=0.1, free_bits=0.05))
    assert settings.initial is config
    assert (settings.kl.factor, settings.kl.free_bits) == (0.1, 0.05)
    assert settings.config.kl.factor == 0.1


def test_another_beginning_replaces_both():
    settings = settings_of(tiny_config())
    shorter = settings.config.replace("stages", warmup=1, full=0)
    settings.adopt(settings.config.replace("kl", factor=0.5))
    settings.begin_with(shorter)
    assert settings.config is settings.initial is shorter
    assert settings.kl.factor == shorter.kl.factor != 0.5


def test_automatic_free_bits_may_wait_for_their_number():
    settings = settings_of(tiny_config(kl={"free_bits": "auto"}))
    with pytest.raises(ValueError, match=r"kl\.free_bits"):
        _ = settings.kl
    settings.begin_with(settings.config.replace("kl", free_bits=0.25))
    assert settings.kl.free_bits == 0.25
