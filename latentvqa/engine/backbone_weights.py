"""A trained run's backbone as a weights file for ``vision.pretrained``."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save

from latentvqa.durable import replace_file
from latentvqa.engine.loading import load_model
from latentvqa.models import whole_weights


def export_backbone(run: Path, path: Path) -> None:
    """Write the backbone of a run's best checkpoint.

    Raises:
        CheckpointError: if the run cannot be loaded.
        ConfigError: if its backbone has no names of its own in the whole model.
    """
    loaded = load_model(run, "cpu")
    weights = whole_weights(loaded.spec.vision_name, loaded.model.vision.backbone)
    replace_file(path, save(weights))
