"""Configuration: frozen sections, read from TOML, every fault named at once."""

from latentvqa.config.loading import config_warnings, load_config, preset_names
from latentvqa.config.sections import (
    KL,
    Config,
    Data,
    EarlyStopping,
    Fusion,
    Latent,
    Loader,
    Optimizer,
    Run,
    Stages,
    Teacher,
    Text,
    Vision,
    conflicts,
)
from latentvqa.config.writing import changed_keys, config_from_toml, config_to_toml

__all__ = [
    "KL",
    "Config",
    "Data",
    "EarlyStopping",
    "Fusion",
    "Latent",
    "Loader",
    "Optimizer",
    "Run",
    "Stages",
    "Teacher",
    "Text",
    "Vision",
    "changed_keys",
    "config_from_toml",
    "config_to_toml",
    "config_warnings",
    "conflicts",
    "load_config",
    "preset_names",
]
