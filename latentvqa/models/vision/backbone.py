"""timm backbones: created by name, cut at a stride, with weights from a file or a hub.

timm loads what fits and says nothing of the rest; here a file that lacks a part of
the model is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from latentvqa.errors import ConfigError
from latentvqa.models.described import is_described, offline_name
from latentvqa.models.vision.weights import (
    State,
    blank_state,
    creation_fault,
    missing_fault,
    quiet_timm,
    read_weights,
    shape_fault,
    unfilled,
    without_prefix,
)


@dataclass(frozen=True)
class ImagePreparation:
    """How a backbone wants its images.

    Attributes:
        size: side of the square input, in pixels.
        interpolation: filter of the resize.
        mean: mean per channel, of values in [0, 1].
        std: standard deviation per channel.
    """

    size: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def create_backbone(
    name: str,
    *,
    image_size: int | None = None,
    stride: int | None = None,
    pretrained: bool | Path = False,
    drop_path: float = 0.0,
    description: str = "",
) -> tuple[nn.Module, ImagePreparation]:
    """Create a timm backbone that gives a feature map or a token sequence.

    Args:
        name: any timm model name; ``hf-hub:`` and tags are timm's own.
        image_size: side of the input in pixels; the backbone's own if absent.
        stride: pixels per patch side; stages after it are cut off. Only for
            convolutional backbones; absent means the last stage.
        pretrained: timm's cache, then its hub; or a local weights file; or
            untrained.
        drop_path: chance of the last residual branch to be skipped in training, falling
            to 0 at the first: stochastic depth (Huang et al. 2016, arXiv:1603.09382).
        description: of a model that a hub or a folder names, as
            :func:`description_of` gave it. With it no hub is asked, but for
            ``pretrained`` weights.

    Raises:
        ConfigError: if timm does not know the name, the stride does not exist
            or the weights cannot be had or do not fit.
    """
    with _place_of(name, description, pretrained) as place:
        return _created(place, image_size, stride, pretrained, drop_path)


@dataclass(frozen=True)
class _Place:
    """A backbone by the name that the user gave, and the one by which timm builds it."""

    name: str
    timm_name: str


@contextmanager
def _place_of(name: str, description: str, pretrained: bool | Path = False) -> Iterator[_Place]:
    if not is_described(name):
        _require_known(name)
    if description and pretrained is not True:
        with offline_name(description) as timm_name:
            yield _Place(name, timm_name)
    else:
        yield _Place(name, name)


def _created(
    place: _Place,
    image_size: int | None,
    stride: int | None,
    pretrained: bool | Path,
    drop_path: float,
) -> tuple[nn.Module, ImagePreparation]:
    options: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
    if stride is not None:
        options = {"features_only": True, "out_indices": (_stage_at(place, stride),)}
    if drop_path:
        options["drop_path_rate"] = drop_path
    if isinstance(pretrained, Path):
        backbone = _filled(place, pretrained, options, image_size)
    else:
        backbone = _create(place, bool(pretrained), options, image_size)
    # a cut backbone keeps the configuration of the whole one
    config: dict[str, Any] = resolve_data_config(  # type: ignore[no-untyped-call]
        {}, pretrained_cfg=backbone.pretrained_cfg if stride is None else None, model=backbone
    )
    preparation = ImagePreparation(
        size=image_size or int(config["input_size"][-1]),
        interpolation=str(config["interpolation"]),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
    return backbone, preparation


def _create(
    place: _Place, pretrained: bool, options: dict[str, Any], image_size: int | None
) -> nn.Module:
    try:
        return _sized(place, pretrained, options, image_size)
    except Exception as error:  # readers of weights and hubs raise whatever they like
        raise creation_fault(place.name, pretrained, error) from error


def _sized(
    place: _Place, pretrained: bool, options: dict[str, Any], image_size: int | None
) -> nn.Module:
    if image_size:
        # fixed-grid models take img_size; fully convolutional ones refuse it
        try:
            sized: nn.Module = timm.create_model(
                place.timm_name, pretrained=pretrained, img_size=image_size, **options
            )
        except TypeError as error:
            if "img_size" not in str(error):
                raise
        else:
            return sized
    model: nn.Module = timm.create_model(place.timm_name, pretrained=pretrained, **options)
    return model


def _filled(
    place: _Place, path: Path, options: dict[str, Any], image_size: int | None
) -> nn.Module:
    """A backbone with all of its weights from a file.

    Raises:
        ConfigError: if the file cannot be read, or does not hold all of them.
    """

    def loaded(state: State) -> nn.Module:
        overlay = {
            # without a source, for that of a hub or folder would come first
            "state_dict": dict(state),
            "source": None,
            "custom_load": False,
            # timm loads a model with another classifier without an error for names
            "num_classes": 1,
            "classifier": "none",
        }
        changes = {"num_classes": 0, "pretrained_cfg_overlay": overlay}
        with quiet_timm():
            found = _sized(place, True, options | changes, image_size)
        known: Any = found.pretrained_cfg
        known.pop("state_dict", None)  # else the backbone keeps a copy of the file
        return found

    def lacking(state: State) -> tuple[list[str], int]:
        with torch.random.fork_rng(devices=[]):
            names = loaded(blank_state(state)).state_dict()
        missing = unfilled(names)
        if any(name.startswith("fc_norm.") for name in state):
            # the norm of pooled features, which are not pooled here: the plain norm stays
            missing = [name for name in missing if not name.startswith("norm.")]
        return missing, sum(one.is_floating_point() for one in names.values())

    state = read_weights(path)
    try:
        missing, count = lacking(state)
        if len(missing) == count:
            whole = timm.create_model(place.timm_name, pretrained=False).state_dict()
            if inner := without_prefix(state, whole):
                state = inner
                missing, count = lacking(state)
        if not missing:
            return loaded(state)
    except Exception as error:  # what the file holds is handled by each model in its own way
        raise (
            shape_fault(path, place.name, str(error), len(state))
            or creation_fault(place.name, path, error)
        ) from error
    raise missing_fault(path, place.name, state, missing, count)


def _require_known(name: str) -> None:
    if not timm.is_model(name):
        raise ConfigError(
            f"vision.name = {name!r} is no timm model. timm.list_models() lists them."
        )
    try:
        timm.get_pretrained_cfg(name)
    except RuntimeError as error:  # what stands behind a dot names weights
        raise ConfigError(
            f"vision.name = {name!r}: timm knows no such weights of this model. "
            "timm.list_pretrained() lists them."
        ) from error


def cut_stride(name: str, stride: int, description: str = "") -> int | None:
    """The stride that a new backbone is cut at; None where it has no other and stays whole.

    Args:
        name: as for :func:`create_backbone`.
        stride: pixels per patch side.
        description: as for :func:`create_backbone`.

    Raises:
        ConfigError: if the backbone has no such stride.
    """
    with _place_of(name, description) as place:
        return None if set(_strides(place, stride)) == {stride} else stride


def _stage_at(place: _Place, stride: int) -> int:
    strides = _strides(place, stride)
    # of several stages at one stride the last has seen most
    return len(strides) - 1 - strides[::-1].index(stride)


def _strides(place: _Place, stride: int) -> list[int]:
    """Strides of the stages, the wanted one among them."""
    name = place.name
    try:
        whole: Any = timm.create_model(place.timm_name, pretrained=False, features_only=True)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"vision.stride = {stride}: {name!r} has no stages to cut at ({error}). "
            'Set vision.stride = "last".'
        ) from error
    except Exception as error:  # a hub that cannot be reached, a file that is not there
        raise creation_fault(name, False, error) from error
    reductions: list[int] = whole.feature_info.reduction()
    if stride not in reductions:
        raise ConfigError(
            f"vision.stride = {stride}: {name!r} has the strides {sorted(set(reductions))}."
        )
    return reductions


def whole_weights(name: str, backbone: nn.Module, description: str = "") -> dict[str, Tensor]:
    """Weights that :func:`create_backbone` loads into the same backbone again.

    Stages that a cut backbone lacks are filled with zeros: timm loads whole models
    only.

    Args:
        name: timm name of the backbone.
        backbone: as :func:`create_backbone` made it.
        description: as there.

    Raises:
        ConfigError: if the cut backbone names its weights otherwise.
    """
    with _place_of(name, description) as place:
        untrained = timm.create_model(place.timm_name, pretrained=False).state_dict()
    whole = {key: torch.zeros_like(value) for key, value in untrained.items()}
    for key, value in backbone.state_dict().items():
        # timm wraps a transformer, and joins the name of a stage to its number
        plain = key.removeprefix("model.")
        known = plain if plain in whole else plain.replace("_", ".", 1)
        if known not in whole:
            raise ConfigError(
                f"the weights of {name!r} cannot be taken out of the part that is used: {key} has "
                'no place in the whole model. Set vision.stride = "last".'
            )
        whole[known] = value
    return {key: value.detach().cpu().contiguous() for key, value in whole.items()}
