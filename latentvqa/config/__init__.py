"""Configuration: frozen sections, read from TOML, every fault named at once."""

from latentvqa.config.choosing import choose_config, choose_resumed, choose_started
from latentvqa.config.loading import load_config, preset_names
from latentvqa.config.plans import Ablation, controls, load_plan, plan_names
from latentvqa.config.sections import (
    KL,
    RULE_SCORER,
    Augment,
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
from latentvqa.config.toml_files import SCHEMA as CONFIG_SCHEMA
from latentvqa.config.warnings import ablation_warnings, config_warnings
from latentvqa.config.writing import (
    changed_keys,
    config_from_toml,
    config_to_toml,
    plain_config,
    with_paths,
)

__all__ = [
    "CONFIG_SCHEMA",
    "KL",
    "RULE_SCORER",
    "Ablation",
    "Augment",
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
    "ablation_warnings",
    "changed_keys",
    "choose_config",
    "choose_resumed",
    "choose_started",
    "config_from_toml",
    "config_to_toml",
    "config_warnings",
    "conflicts",
    "controls",
    "load_config",
    "load_plan",
    "plain_config",
    "plan_names",
    "preset_names",
    "with_paths",
]
