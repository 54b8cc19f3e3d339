"""Backbones that a hub or a folder describes: kept with a checkpoint, and built again from that.

timm asks the hub each time that it is given such a name. Here the description is
taken once, when a model is new; no checkpoint leads to a hub.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from timm.models import load_model_config_from_hf

from latentvqa.errors import CheckpointError, ConfigError
from latentvqa.models.hub import from_hub
from latentvqa.regular_files import read_regular_text

_CONFIG = "config.json"
_LABELS = ("labels", "label_names", "label_descriptions")  # of a classifier that is cut off


def is_described(name: str) -> bool:
    """Whether a hub or a folder must say what a name means."""
    return ":" in name


def description_of(name: str) -> str:
    """What a hub or a folder says of a model, as JSON; empty for one of timm's own.

    Raises:
        ConfigError: if it cannot be had.
    """
    if not is_described(name):
        return ""
    try:
        return json.dumps(_config_of(*name.split(":", maxsplit=1)), sort_keys=True)
    except Exception as error:  # hubs raise whatever they like
        reason = f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]
        raise ConfigError(f"vision.name = {name!r} cannot be built: {reason}") from error


def require_description(name: str, description: str, checkpoint: Path) -> None:
    """Refuse a checkpoint that holds no more of its backbone than a name.

    Raises:
        CheckpointError: if a hub or a folder would have to say what it means.
    """
    if is_described(name) and not description:
        raise CheckpointError(
            f"{checkpoint}: the backbone {name} is recorded there by name alone, and nothing is "
            "fetched for a checkpoint. Train it anew: its shape is recorded now."
        )


@contextmanager
def offline_name(description: str) -> Iterator[str]:
    """A name, good for the block, by which timm builds what is described; it asks no hub."""
    with TemporaryDirectory() as folder:
        (Path(folder) / _CONFIG).write_text(description, encoding="utf-8")
        yield f"local-dir:{folder}"


def _config_of(source: str, place: str) -> dict[str, Any]:
    if source.lower() == "local-dir":
        config: dict[str, Any] = json.loads(read_regular_text(Path(place) / _CONFIG))
    else:
        known, architecture, arguments = from_hub(lambda: load_model_config_from_hf(place))
        config = {"architecture": architecture, "pretrained_cfg": known, "model_args": arguments}
    for part in (config, config.get("pretrained_cfg", {})):
        for name in _LABELS:
            part.pop(name, None)
    return config
