"""Ablation plans: arms over one base, each trained with the same seeds.

A plan is a TOML file, one that ships with the package, or the controls that any
configuration is held against. Reading one trains nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from latentvqa.config.dotted_keys import dotted_keys, nested_keys
from latentvqa.config.faults import fault_texts, nearest_hint
from latentvqa.config.loading import (
    Layer,
    checked_config,
    config_error,
    file_layer,
    override_layers,
    preset_layer,
    with_absolute_paths,
)
from latentvqa.config.sections import Config, File, Section
from latentvqa.config.toml_files import read_toml
from latentvqa.errors import ConfigError

# stands in a configuration for the weights that the plan's own backbone will give
OWN_BACKBONE = Path("backbone")
DEFAULT_PRESET = "ablation"
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class AblationPlan(Section):
    """What a plan's file says."""

    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    """names the result's files: letters, digits, dots, dashes; else the file's name"""
    description: str = ""
    """what is asked, in one line"""
    preset: str | None = None
    """shipped preset that all arms start from"""
    config: File | None = None
    """configuration file that all arms start from, relative to the plan"""
    base: dict[str, Any] = Field(default={})
    """keys over preset and configuration, for all arms"""
    backbone: dict[str, Any] | None = None
    """keys over the base; what they train first gives its backbone to every arm"""
    arms: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    """keys over the base, by name of the arm"""
    default: str
    """arm that the others are compared with"""
    seeds: Annotated[tuple[Seed, ...], Field(strict=False)] = (0, 1, 2)
    """every arm is trained with each of them"""


@dataclass(frozen=True)
class Ablation:
    """A plan whose configurations were all checked.

    Attributes:
        name: names the result's files.
        description: what is asked.
        default: arm that the others are compared with.
        seeds: every arm is trained with each.
        arms: configuration by arm; ``run.seed`` is not set yet.
        changes: what each arm changes, by dotted key.
        backbone: configuration of the run whose backbone every arm with
            ``vision.pretrained = OWN_BACKBONE`` starts from.
    """

    name: str
    description: str
    default: str
    seeds: tuple[int, ...]
    arms: Mapping[str, Config]
    changes: Mapping[str, Mapping[str, Any]]
    backbone: Config | None


def plan_names() -> list[str]:
    """Names of the plans that ship with the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in _shipped_plans().iterdir())


def load_plan(
    plan: str,
    *,
    config: Path | None = None,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seeds: int | None = None,
) -> Ablation:
    """Read a plan and check every arm of it.

    Args:
        plan: name of a shipped plan, or a TOML file.
        config: configuration to start from; takes the place of the plan's own
            preset, configuration, base and backbone, as ``preset`` does.
        preset: preset to start from.
        overrides: ``key=value`` over the base and below the arms.
        seeds: so many, from 0 on, instead of the plan's.

    Raises:
        ConfigError: with every fault of the plan and of its arms.
    """
    raw, source, folder = _read_plan(plan)
    parsed, faults, unsound = _parsed(raw, source)
    faults += [f"{source}: {fault}" for fault in _plan_conflicts(parsed, unsound)]
    if config is None and preset is None:
        base = _named_layers(folder, parsed.preset, parsed.config, f"{source}: preset = ")
    else:
        base = _named_layers(Path(), preset, config)
        name = _name_on(parsed.name, preset, config)
        parsed = parsed.model_copy(update={"name": name, "base": {}, "backbone": None})
    return _checked(parsed, source, folder, base, overrides, seeds, faults)


def controls(
    *,
    config: Path | None = None,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seeds: int | None = None,
) -> Ablation:
    """The latent model as configured, against what it must be better than.

    Raises:
        ConfigError: with every fault, or if the configuration is itself a control.
    """
    if config is None and preset is None and not _names_data(overrides):
        preset = DEFAULT_PRESET
    found = _checked(
        AblationPlan(
            name=_name_on("controls", preset, config),
            description="The latent model against models without noise, bottleneck or image",
            arms={
                "latent": {},
                "deterministic": {"latent.bottleneck": "deterministic"},
                "none": {"latent.bottleneck": "none"},
                "question only": {"vision.blind": True},
            },
            default="latent",
        ),
        "--controls",
        Path(),
        _named_layers(Path(), preset, config),
        overrides,
        seeds,
        [],
    )
    latent = found.arms["latent"]
    if latent.latent.bottleneck != "gaussian" or latent.vision.blind:
        raise ConfigError(
            "--controls compares the latent model with its controls, and this configuration is one "
            'of them: set latent.bottleneck = "gaussian" and vision.blind = false'
        )
    return found


def _read_plan(plan: str) -> tuple[dict[str, Any], str, Path]:
    """A plan's tables, what messages call it, and the folder that its paths start from."""
    if plan in plan_names():
        text = (_shipped_plans() / f"{plan}.toml").read_text("utf-8")
        return {"name": plan, **tomllib.loads(text)}, f"plan {plan}", Path()
    path = Path(plan)
    if path.suffix != ".toml" and not path.is_file():
        raise ConfigError(
            f"{plan}: no such plan.{nearest_hint(plan, plan_names())} There are: "
            f"{', '.join(plan_names())}; or name a TOML file."
        )
    return {"name": _plain(path.stem), **read_toml(path, "ablate")}, str(path), path.parent


def _parsed(raw: Mapping[str, Any], source: str) -> tuple[AblationPlan, list[str], set[str]]:
    """The plan, its faults, and the keys with a fault, which have stand-ins."""
    try:
        return AblationPlan.model_validate(raw), [], set()
    except ValidationError as error:
        texts = fault_texts(error, dict.fromkeys(AblationPlan.model_fields, ()))
    unsound = {key.split(".")[0] for key in texts}
    fields = AblationPlan.model_fields
    sound = {key: value for key, value in raw.items() if key in fields and key not in unsound}
    stand_ins = {"name": "plan", "arms": {"": {}}, "default": ""}
    faults = [f"{source}: {key}{text}" for key, text in texts.items()]
    return AblationPlan.model_validate(stand_ins | sound), faults, unsound


def _plan_conflicts(plan: AblationPlan, unsound: set[str]) -> list[str]:
    found = []
    if plan.default not in plan.arms and unsound.isdisjoint({"default", "arms"}):
        found.append(f'default = "{plan.default}" is no arm; there are: {", ".join(plan.arms)}')
    if not plan.seeds:
        found.append("seeds = []: name at least one")
    if len(set(plan.seeds)) < len(plan.seeds):
        found.append(f"seeds = {list(plan.seeds)}: name each seed once")
    seeded = [f"arms.{name}" for name, keys in plan.arms.items() if _sets_seed(keys)]
    for place in [*seeded, *(["base"] if _sets_seed(plan.base) else [])]:
        found.append(f"{place}: run.seed is taken from seeds: every arm is trained with each")
    return found


def _sets_seed(keys: Mapping[str, Any]) -> bool:
    return "run.seed" in dotted_keys(keys)


def _named_layers(
    folder: Path, preset: str | None, config: Path | None, said: str = "--preset "
) -> list[Layer]:
    """A preset and a configuration file, as they were said to be started from."""
    layers = [] if preset is None else [preset_layer(preset, said)]
    return layers if config is None else [*layers, file_layer(folder / config)]


def _checked(
    plan: AblationPlan,
    source: str,
    folder: Path,
    named: Sequence[Layer],
    overrides: Sequence[str],
    seeds: int | None,
    faults: list[str],
) -> Ablation:
    """Check the configuration of every arm.

    Raises:
        ConfigError: with these faults and those found here.
    """

    def layer(keys: Mapping[str, Any], place: str) -> Layer:
        return Layer(with_absolute_paths(nested_keys(keys), folder), f"{source} {place}")

    added, unreadable = override_layers(overrides)
    base = [*named, layer(plan.base, "[base]"), *added]
    configs: dict[str, Config | None] = {}
    found = [*faults, *unreadable]
    start = list(base)
    backbone = None
    if plan.backbone is not None:
        backbone, more = checked_config([*base, layer(plan.backbone, "[backbone]")])
        found += more
        start.append(Layer({"vision": {"pretrained": OWN_BACKBONE}}, f"{source} [backbone]"))
    for name, keys in plan.arms.items():
        configs[name], more = checked_config([*start, layer(keys, f"[arms.{name}]")])
        found += more
    if found:
        raise config_error(list(dict.fromkeys(found)))
    return Ablation(
        name=plan.name,
        description=plan.description,
        default=plan.default,
        seeds=plan.seeds if seeds is None else tuple(range(seeds)),
        arms={name: config for name, config in configs.items() if config is not None},
        changes={name: dotted_keys(nested_keys(keys)) for name, keys in plan.arms.items()},
        backbone=backbone,
    )


def _name_on(name: str, preset: str | None, config: Path | None) -> str:
    """Name of a result by what its arms start from."""
    start = preset if config is None else config.stem
    return name if start is None else f"{name}-{_plain(start)}"


def _plain(stem: str) -> str:
    """A file's name without what would make the name of another file unwieldy."""
    return re.sub(r"[^\w.-]+", "-", stem).lstrip(".-") or "plan"


def _names_data(overrides: Sequence[str]) -> bool:
    return any(text.startswith(("data.train", "data.scenes")) for text in overrides)


def _shipped_plans() -> Any:
    return resources.files("latentvqa") / "presets" / "plans"
