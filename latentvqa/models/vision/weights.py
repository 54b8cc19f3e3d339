"""Files of weights for timm backbones: read without pickled code, named as timm names them.

timm reads its own names and those of several projects, in files with or without the
wrappings of a training; the names of the transformers library it does not know.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import timm
import torch
from timm.models import load_state_dict
from torch import Tensor

from latentvqa.errors import ConfigError
from latentvqa.regular_files import open_regular

State = dict[str, Tensor]

_SHOWN = 3  # names in a message
_OTHER_SHAPE = re.compile(
    r"size mismatch for (\S+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from "
    r"checkpoint, the shape in current model is torch\.Size\(\[([\d, ]*)\]\)"
)
# of the transformers library (ViT, DeiT, DINOv2, SigLIP) to timm
_TOWERS = re.compile(r"^(?:.*?\.)?((?:embeddings|encoder|layernorm|post_layernorm)\..*)$")
_RENAMED = (
    (r"^embeddings\.patch_embeddings?(?:\.projection)?\.", "patch_embed.proj."),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.position_embedding\.weight$", "pos_embed"),
    (r"^embeddings\.", ""),  # cls_token, mask_token, register_tokens
    (r"^(?:post_)?layernorm\.", "norm."),
    (r"^encoder\.layers?\.", "blocks."),
    (r"\.attention\.attention\.(query|key|value)\.", r".attn.\1."),
    (r"\.self_attn\.q_proj\.", ".attn.query."),
    (r"\.self_attn\.k_proj\.", ".attn.key."),
    (r"\.self_attn\.v_proj\.", ".attn.value."),
    (r"\.(?:attention\.output\.dense|self_attn\.out_proj)\.", ".attn.proj."),
    (r"\.(?:layernorm_before|layer_norm1)\.", ".norm1."),
    (r"\.(?:layernorm_after|layer_norm2)\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"^(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"\.mlp\.weights_in\.", ".mlp.w12."),
    (r"\.mlp\.weights_out\.", ".mlp.w3."),
    (r"\.layer_scale(\d)\.lambda1$", r".ls\1.gamma"),
)
_THEIRS = re.compile(
    r"\bencoder\.layers?\.\d+\.(?:attention\.attention\.query|self_attn\.q_proj)\.weight$"
)
_ATTENTION = re.compile(r"^(.*\.attn)\.(query|key|value)\.(weight|bias)$")


def require_weights_file(weights: Path) -> None:
    """Refuse a weights file that is not there.

    Raises:
        ConfigError: naming it.
    """
    try:
        open_regular(weights).close()
    except OSError as error:
        raise ConfigError(
            f"vision.pretrained: {weights} cannot be read: {error.strerror}. Name a weights file."
        ) from error


def read_weights(path: Path) -> State:
    """Read a file of weights: ``.safetensors``, or plain tensors that torch saved.

    The wrappings of a training go: ``state_dict``, ``model``, ``model_ema`` around
    the weights, ``module.`` before their names.

    Returns:
        Tensors by timm's names, where they were those of the transformers library.

    Raises:
        ConfigError: if it cannot be read, or holds no tensors by name.
    """
    require_weights_file(path)
    try:
        found = load_state_dict(str(path))
    except Exception as error:  # the libraries raise whatever they like at a damaged file
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        if "weights_only" in reason and "globals" in reason:
            raise ConfigError(
                f"vision.pretrained: {path} holds Python objects beside its weights, and pickled "
                "code is never run. Where it was made, save the weights alone: "
                "torch.save(model.state_dict(), FILE)."
            ) from error
        raise ConfigError(
            f"vision.pretrained: {path} cannot be read as weights: {reason[:200]}"
        ) from error
    state = {name: one for name, one in found.items() if isinstance(one, Tensor)}
    if not state:
        raise ConfigError(
            f"vision.pretrained: {path} holds no tensors by name, but {_named(found)}. Save the "
            "weights alone: torch.save(model.state_dict(), FILE)."
        )
    return _with_timm_names(state)


def without_prefix(state: Mapping[str, Tensor], names: Iterable[str]) -> State:
    """Tensors without what stands before all of a model's names, as ``backbone.``.

    Args:
        state: tensors by name.
        names: those of the model.

    Returns:
        The tensors below the one prefix; none where there is no prefix, or several.
    """
    known = {
        key.removesuffix(name)
        for name in names
        for key in state
        if key.endswith(f".{name}") and name.endswith("weight")
    }
    # a name within a name is not what stands before all of them: the shortest is
    prefix = min(known, key=len, default="")
    if not prefix or any(not one.startswith(prefix) for one in known):
        return {}
    return {key.removeprefix(prefix): one for key, one in state.items() if key.startswith(prefix)}


def blank_state(state: Mapping[str, Tensor]) -> State:
    """NaN in the shapes of a file: a model that loads it shows what a file would fill."""
    return {
        name: torch.full_like(one, torch.nan) if one.is_floating_point() else one
        for name, one in state.items()
    }


def unfilled(loaded: Mapping[str, Tensor]) -> list[str]:
    """Names of weights that a model loaded with :func:`blank_state` did not get."""
    return [
        name
        for name, one in loaded.items()
        if one.is_floating_point() and not torch.isnan(one).any()
    ]


@contextmanager
def quiet_timm() -> Iterator[None]:
    """Keep timm from listing every name of a file that it has no use for."""
    told = logging.getLogger("timm")
    level = told.level
    told.setLevel(logging.ERROR)
    try:
        yield
    finally:
        told.setLevel(level)


def missing_fault(
    path: Path, name: str, state: Mapping[str, Tensor], missing: list[str], count: int
) -> ConfigError:
    """What a file lacks of a model, and how much it had.

    Args:
        path: the file.
        name: of the model.
        state: what the file holds.
        missing: names that the model did not get.
        count: names that it has.
    """
    advice = "Name the model that the file belongs to."
    if len(missing) == count:
        return ConfigError(
            f"vision.pretrained: {path} holds the weights of another model: none of the {count} "
            f"tensors of {name!r} is in it, but {_named(state)}. {advice}"
        )
    return ConfigError(
        f"vision.pretrained: {path} holds {count - len(missing)} of the {count} tensors of "
        f"{name!r}; it lacks {_named(missing)}. {advice}"
    )


def shape_fault(path: Path, name: str, reason: str, count: int) -> ConfigError | None:
    """What torch says of shapes that differ, in a sentence; None where it says something else.

    Args:
        path: the file.
        name: of the model.
        reason: torch's message.
        count: tensors that the file holds.
    """
    differing = _OTHER_SHAPE.findall(reason)
    if not differing:
        return None
    key, theirs, ours = differing[0]
    return ConfigError(
        f"vision.pretrained: {path} does not fit {name!r}: {len(differing)} of its {count} tensors "
        f"have another shape, as {key}: ({theirs}) in the file, ({ours}) in the model. Name the "
        "model that the file belongs to."
    )


def _with_timm_names(state: State) -> State:
    if not any(map(_THEIRS.search, state)):
        return state
    is_pair = any("vision_model." in name for name in state)  # a text tower beside it
    renamed: State = {}
    for name, one in state.items():
        found = _TOWERS.match(name)
        is_head = "head." in name or "pooler." in name or "classifier." in name
        if found is None or is_head or (is_pair and "vision_model." not in name):
            continue
        ours = found[1]
        for pattern, text in _RENAMED:
            ours = re.sub(pattern, text, ours)
        # one table of places in place of a tensor with the batch before it
        renamed[ours] = one[None] if ours == "pos_embed" and one.ndim == 2 else one
    return _with_joined_attention(renamed)


def _with_joined_attention(state: State) -> State:
    """Query, key and value as the one matrix that timm has."""
    joined = {name: one for name, one in state.items() if not _ATTENTION.match(name)}
    for name in state:
        found = _ATTENTION.match(name)
        if found is None or found[2] != "query":
            continue
        parts = [state.get(f"{found[1]}.{part}.{found[3]}") for part in ("query", "key", "value")]
        present = [one for one in parts if one is not None]
        if len(present) == len(parts):
            joined[f"{found[1]}.qkv.{found[3]}"] = torch.cat(present)
    return joined


def _named(names: Iterable[str]) -> str:
    known = [str(name) for name in names]
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    return f"{', '.join(known[:_SHOWN])}{more}"


def creation_fault(name: str, pretrained: bool | Path, error: Exception) -> ConfigError:
    """What to say of a backbone that cannot be created.

    Args:
        name: as the user named it.
        pretrained: where its weights come from.
        error: of the library.
    """
    if isinstance(error, TypeError) and "drop_path_rate" in str(error):
        return ConfigError(f"vision.drop_path: {name!r} has no branches to skip; set it to 0")
    reason = f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]
    if isinstance(pretrained, Path):
        return ConfigError(f"vision.pretrained: cannot load {pretrained} into {name!r}: {reason}")
    if pretrained:
        return ConfigError(
            f"vision.pretrained = true: the weights of {name!r} are neither in timm's cache nor to "
            f"be had from its hub ({type(error).__name__}). On a machine with network fetch "
            f"{_wanted_file(name)}, and set vision.pretrained to the path of the file."
        )
    return ConfigError(f"vision.name = {name!r} cannot be built: {reason}")


def _wanted_file(name: str) -> str:
    known = timm.get_pretrained_cfg(name, allow_unregistered=True)
    hub = known.hf_hub_id if known is not None else None
    if known is None or not hub:
        return "the model's weights file"
    # timm leaves the last part of a hub name to the model's own name
    full = f"{hub}{known.architecture}.{known.tag}" if hub.endswith("/") else hub
    return f"{full}/model.safetensors"
