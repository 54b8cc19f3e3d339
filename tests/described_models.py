"""Folders that describe a backbone as a hub does: one of the user's, and the cache of a hub."""

import json
from pathlib import Path

CONFIG = {
    "architecture": "test_resnet",
    "num_classes": 2,
    "label_names": ["cat", "dog"],
    "pretrained_cfg": {
        "input_size": [3, 64, 64],
        "mean": [0.1, 0.2, 0.3],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bilinear",
        "num_classes": 2,
        "first_conv": "conv1.0",
        "classifier": "fc",
    },
}


def model_folder(folder: Path) -> Path:
    """A folder for ``local-dir:``."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


def hub_model(cache: Path, monkeypatch) -> str:
    """A model in an empty cache of the hub's library, in use in this process; its name."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    repository, commit = cache / "models--somebody--tiny", 40 * "a"
    model_folder(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    return "hf-hub:somebody/tiny"
