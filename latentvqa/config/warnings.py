"""Combinations of keys that are allowed but seldom meant."""

from __future__ import annotations

from latentvqa.config.plans import Ablation
from latentvqa.config.sections import Augment, Config
from latentvqa.config.writing import config_to_toml

# keys of [vision] that say how a backbone is trained
_BACKBONE_KEYS = ("pretrained", "freeze_epochs", "trained_layers", "lora_rank", "fixed_statistics")
# keys of [kl] that only some schedules use
_KEYS_OF_SCHEDULES = {
    "warmup_epochs": ("linear", "cyclical"),
    "warmup_by": ("linear",),
    "cycles": ("cyclical",),
    "rising_share": ("cyclical",),
    "set_point": ("controller",),
    "proportional_gain": ("controller",),
    "integral_gain": ("controller",),
}


def config_warnings(config: Config) -> list[str]:
    """Combinations that are allowed but seldom meant."""
    warnings = []
    kl, default = config.kl, type(config.kl)()
    is_untouched = (kl.factor, kl.free_bits) == (default.factor, default.free_bits)
    if kl.reduction == "sum" and is_untouched and kl.free_bits != "auto":
        dims = config.latent.dims
        warnings.append(
            f'kl.reduction = "sum" with the factor and free_bits of "mean": the same weight costs '
            f"{dims} times as much (kl.factor = {kl.factor / dims:.3g} and kl.free_bits = "
            f"{kl.free_bits * dims:.3g} would price it as before)"
        )
    ignored = [
        f"kl.{key}"
        for key, schedules in _KEYS_OF_SCHEDULES.items()
        if kl.schedule not in schedules and getattr(kl, key) != getattr(default, key)
    ]
    if ignored:
        warnings.append(f'kl.schedule = "{kl.schedule}" ignores {", ".join(ignored)}')
    if kl.free_bits != "auto" and kl.free_bits_per_need != default.free_bits_per_need:
        warnings.append('kl.free_bits_per_need counts only under kl.free_bits = "auto"')
    vision = config.vision
    has_learnt = vision.pretrained is not False or config.run.init_from is not None
    if vision.freeze_epochs not in ("auto", 0) and not has_learnt and not vision.blind:
        warnings.append(
            f"vision.freeze_epochs = {vision.freeze_epochs} freezes a backbone that has learnt "
            "nothing: vision.pretrained is false"
        )
    unseen = [
        f"vision.{key}"
        for key in _BACKBONE_KEYS
        if vision.blind and getattr(vision, key) != getattr(type(vision)(), key)
    ]
    if unseen:
        warnings.append(f"vision.blind = true ignores {', '.join(unseen)}: there is no backbone")
    is_frozen = vision.trained_layers == 0 and not vision.lora_rank
    if is_frozen and not has_learnt and not vision.blind:
        warnings.append(
            "vision.trained_layers = 0 freezes a backbone that has learnt nothing: "
            "vision.pretrained is false"
        )
    if vision.lora_rank and vision.trained_layers != "all":
        warnings.append(
            f"vision.lora_rank = {vision.lora_rank} trains matrices beside all layers: "
            f"vision.trained_layers = {vision.trained_layers} counts for nothing"
        )
    if is_frozen and config.augment != Augment():
        warnings.append(
            "augment changes no image: the backbone is frozen in every epoch and meets each image "
            "once"
        )
    return warnings


def ablation_warnings(ablation: Ablation) -> list[str]:
    """The same of every arm of a plan, each once, and what makes arms unequal."""
    warnings: dict[str, list[str]] = {}
    for name, config in ablation.arms.items():
        for warning in config_warnings(config):
            warnings.setdefault(warning, []).append(name)
        if config.run.max_minutes is not None:
            text = "run.max_minutes fits each run to its own speed: arms may differ in epochs"
            warnings.setdefault(text, []).append(name)
    texts = [
        text if len(names) == len(ablation.arms) else f"{', '.join(names)}: {text}"
        for text, names in warnings.items()
    ]
    return [*texts, *_equal_arms(ablation)]


def _equal_arms(ablation: Ablation) -> list[str]:
    arms: dict[str, list[str]] = {}
    for name, config in ablation.arms.items():
        arms.setdefault(config_to_toml(config), []).append(name)
    return [
        f"{', '.join(names)}: the same configuration, so they share their runs"
        for names in arms.values()
        if len(names) > 1
    ]
