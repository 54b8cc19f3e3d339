"""A first configuration for a user's table: what is chosen, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from latentvqa.config.commented import commented_toml
from latentvqa.config.loading import preset_layer
from latentvqa.core.figures import counted
from latentvqa.core.languages.vietnamese import is_vietnamese
from latentvqa.data.guessing.facts import DataFacts
from latentvqa.models.hub import HUB_PREFIX, is_at_hand

SCRATCH, SMALL, LARGE = "small-scratch", "photos-small", "photos"
_MANY_ROWS = 20_000  # from so many on a backbone can be fine-tuned
_SMALL_SIDE = 96  # pixels; images below it are drawings, or very small photographs
_MULTILINGUAL = "intfloat/multilingual-e5-small"


@dataclass(frozen=True)
class FirstConfig:
    """A configuration to begin with.

    Attributes:
        preset: that it begins from.
        text: the TOML file, commented.
        reasons: what was found and chosen, as sentences.
    """

    preset: str
    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class FirstData:
    """Where the data of the first configuration lie.

    Attributes:
        train: the table.
        images: its images.
        columns: as ``data.columns``.
        val: table of the validation questions; None to hold images out.
        val_images: folder of these images where it is another one.
    """

    train: Path
    images: Path
    columns: Mapping[str, str]
    val: Path | None = None
    val_images: Path | None = None


def first_config(
    data: FirstData, facts: DataFacts, *, preset: str | None, folder: Path
) -> FirstConfig:
    """Choose a preset and what of it to change.

    Args:
        data: where the data lie.
        facts: what they are like.
        preset: what the user wants to begin from; None to choose.
        folder: where the file will stand; paths below it are written relative to it.

    Raises:
        ConfigError: if there is no such preset.
    """
    rows, images = len(facts.table), len(facts.table.image_names)
    reasons = [
        f"{counted(rows, 'question')} about {counted(images, 'image')}, "
        f"{counted(facts.answers, 'different answer')}{_rare_answers(facts)}"
    ]
    speaks_vietnamese = is_vietnamese(facts.table.questions)
    chosen, why = (preset, "as named") if preset is not None else _preset(facts)
    reasons.append(f"preset {chosen}: {why}")
    keys: dict[str, dict[str, Any]] = {
        section: dict(values) for section, values in preset_layer(chosen).values.items()
    }
    notes: dict[str, str] = {}
    sections: dict[str, dict[str, Any]] = {"data": _data_keys(data, folder)}
    if bad := [*facts.missing, *facts.unreadable]:
        sections["data"]["on_bad_image"] = "skip"
        lost = _lost_images(facts)
        notes["data.on_bad_image"] = f"{lost}, and more may be bad"
        reasons.append(f"{lost}, as {bad[0]}: their questions are left out")
    if chosen == SCRATCH:
        side = 64 if facts.side is not None and facts.side < _SMALL_SIDE else 96
        keys["vision"]["image_size"] = side
        reasons.append(f"{side} x {side} pixels")
    if speaks_vietnamese:
        keys.setdefault("text", {})["language"] = "vi"
        reasons.append("the questions are Vietnamese: hòa and hoà are read as one word")
        if chosen in (SMALL, LARGE):
            keys["text"]["encoder"] = f"{HUB_PREFIX}{_MULTILINGUAL}"
    if (types := len(set(facts.table.types or ()))) > 1:
        reasons.append(f"{types:,} question types, scored apart as well")
    text = commented_toml(
        "\n".join(["A first configuration. What was found:", *(f"- {one}" for one in reasons)]),
        {**sections, **{name: values for name, values in keys.items() if name != "data"}},
        notes,
    )
    return FirstConfig(chosen, text, tuple(reasons))


def _rare_answers(facts: DataFacts) -> str:
    """How many rows cannot be learnt by an example of the same answer; empty for few."""
    share = round(100 * facts.once)
    return f", {share} % of the rows with an answer that occurs once" if share else ""


def _lost_images(facts: DataFacts) -> str:
    """Images that are not there, and of those looked at the ones that cannot be read."""
    lost = [
        (len(facts.missing), "not in the folder"),
        (len(facts.unreadable), "not to be decoded"),
    ]
    return " and ".join(f"{counted(count, 'image')} {what}" for count, what in lost if count)


def _preset(facts: DataFacts) -> tuple[str, str]:
    if not facts.are_photographs:
        return SCRATCH, "the images are drawings, which are learnt from scratch"
    if find_spec("transformers") is None:
        return SCRATCH, (
            "from scratch, for the extra hf is not installed; photographs want pretrained weights: "
            'pip install "latentvqa[hf]" and --preset photos-small'
        )
    is_many = len(facts.table) >= _MANY_ROWS and torch.cuda.is_available()
    wanted = LARGE if is_many else SMALL
    vision = preset_layer(wanted).values["vision"]["name"]
    encoder = preset_layer(wanted).values["text"]["encoder"].removeprefix(HUB_PREFIX)
    if is_at_hand(f"timm/{vision}") and is_at_hand(encoder):
        return wanted, "photographs, and its pretrained weights are at hand"
    return SCRATCH, (
        f"from scratch, for no pretrained weights are at hand; with a network --preset {wanted} "
        "fetches them"
    )


def _data_keys(data: FirstData, folder: Path) -> dict[str, Any]:
    keys: dict[str, Any] = {"train": _written(data.train, folder)}
    if data.val is not None:
        keys["val"] = _written(data.val, folder)
    keys["images"] = _written(data.images, folder)
    if data.val_images is not None:
        keys["val_images"] = _written(data.val_images, folder)
    if data.columns:
        keys["columns"] = dict(data.columns)
    return keys


def _written(path: Path, folder: Path) -> str:
    """A path as the file says it: relative where it lies beside or below it."""
    whole, folder = Path(os.path.abspath(path)), Path(os.path.abspath(folder))  # noqa: PTH100
    return (whole.relative_to(folder) if whole.is_relative_to(folder) else whole).as_posix()
