"""What to write in place of an option that does not exist, or of an argument too many.

Options are few, and all that a run is made of are keys of its configuration: whoever
gives one as an option is told the ``--set`` that it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from shlex import quote

# other programs' names of what several keys hold here, or one that is called otherwise
ALIASES: dict[str, tuple[str, ...]] = {
    "epoch": ("stages.warmup", "stages.full"),
    "epochs": ("stages.warmup", "stages.full"),
    "max_epochs": ("stages.warmup", "stages.full"),
    "num_epochs": ("stages.warmup", "stages.full"),
    "lr": ("optimizer.decoder_rate", "optimizer.latent_rate", "optimizer.vision_rate"),
    "learning_rate": ("optimizer.decoder_rate", "optimizer.latent_rate", "optimizer.vision_rate"),
    "batch": ("loader.batch_size",),
    "num_workers": ("loader.workers",),
    "model": ("vision.name",),
    "backbone": ("vision.name",),
    "beta": ("kl.factor",),
    "gpu": ("run.device",),
}
# sections that the --set of a command takes, where it does not take them all
SECTIONS: dict[str, tuple[str, ...]] = {
    "audit": ("data", "text"),
    "diagnose-kl": ("kl", "latent", "kl_health"),
}
TABLES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")


def option_hint(option: str, command: str, given: Sequence[str]) -> str:
    """The ``--set`` that an option stands for, over several lines; empty where it is no key.

    Args:
        option: as it was written.
        command: whose it was to be.
        given: all words behind the command.
    """
    keys = matching_keys(option, SECTIONS.get(command))
    if not keys:
        return ""
    value = _value_of(option, given)
    lines = [f"  --set {quote(f'{key}={value}') if value else f'{key}=VALUE'}" for key in keys]
    told = "the key of the configuration" if len(keys) == 1 else "one of these keys"
    return "\n".join([f"Write {told}:", *lines])


def matching_keys(option: str, sections: Collection[str] | None = None) -> list[str]:
    """Keys of the configuration that an option most likely means, the likeliest ones alone.

    Args:
        option: as it was written.
        sections: those that count; all without any.
    """
    from latentvqa.config.loading import known_keys

    wanted = option.lstrip("-").replace("-", "_").lower()
    keys = [
        f"{section}.{key}"
        for section, names in known_keys().items()
        if sections is None or section in sections
        for key in names
    ]
    exact = [key for key in keys if wanted in (key, key.replace(".", "_"), key.partition(".")[2])]
    named = exact or [key for key in ALIASES.get(wanted, ()) if key in keys]
    if named:
        return named
    by_name = {key.partition(".")[2]: key for key in keys}
    near = difflib.get_close_matches(wanted, [*keys, *by_name], n=1, cutoff=0.8)
    return [by_name.get(name, name) for name in near]


def argument_hint(text: str, options: Collection[str]) -> str:
    """Which option of a command an argument too many belongs to; empty where none is likely."""
    for option in _likely_options(text):
        if option in options:
            return f"{option} {quote(text)}"
    return ""


def _likely_options(text: str) -> Iterator[str]:
    from latentvqa.config.loading import known_keys, preset_names
    from latentvqa.history import LOG_NAME

    path = Path(text)
    if text.partition("=")[1] and text.partition(".")[0] in known_keys():
        yield "--set"
    if path.suffix == ".toml":
        yield from ("--config", "--out")
    if text in preset_names():
        yield "--preset"
    if path.suffix.lower() in TABLES:
        yield from ("--data", "--val")
    if (path / LOG_NAME).is_file():
        yield "--resume"
    if path.is_dir():
        yield "--images"


def _value_of(option: str, given: Sequence[str]) -> str:
    """What stands behind an option; empty where nothing does."""
    for text, following in zip(given, [*given[1:], "--"], strict=True):
        name, _, value = text.partition("=")
        if name == option:
            return value or ("" if following.startswith("--") else following)
    return ""
