"""The transformers library (extra ``hf``): models from a folder, its hub, or a shape alone.

Only safe formats are read: safetensors, and ``.bin`` files as plain tensors.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from latentvqa.errors import ConfigError
from latentvqa.models.hub import HUB_PREFIX, from_hub

_WEIGHT_FILES = ("*.safetensors", "*.bin")
_UNUSED = ("pooler.",)  # a layer over the first token, which few folders have
_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class LanguageModel:
    """Everything but its weights that a language model is rebuilt from.

    Attributes:
        shape: the library's configuration, with ``model_type``.
        vocabulary: ids that it has vectors of.
        prefix: its ids before a text.
        suffix: its ids after a text.
        padding: its padding id.
        start: its id that an answer begins from.
        end: its id that ends an answer.
        unknown: its id of unknown text; None where it knows all text.
        specials: its ids that are no text.
    """

    shape: Mapping[str, Any]
    vocabulary: int
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    padding: int
    start: int
    end: int
    unknown: int | None
    specials: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LanguageModel:
        """Read what ``dataclasses.asdict`` and JSON made of one."""
        lists = {name: tuple(values[name]) for name in ("prefix", "suffix", "specials")}
        return cls(**{**values, **lists})


def transformers_library(key: str) -> Any:
    """The library.

    Args:
        key: key of the configuration that asks for it.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        raise ConfigError(
            f"{key} needs the transformers library, which is not installed ({error}). Install it "
            'with: pip install "latentvqa[hf]"'
        ) from error


def read_model(
    auto_class: str,
    source: str | Path,
    key: str,
    part: Callable[[Any], nn.Module] | None = None,
) -> Any:
    """Read a model with its weights; one that lacks some of them is refused.

    Args:
        auto_class: ``AutoModel`` and its kin.
        source: the folder, or ``hf-hub:OWNER/MODEL``.
        key: key of the configuration that names it.
        part: takes what is used out of a model; all of it is used without.

    Raises:
        ConfigError: if it cannot be had or read, or if weights of the part are missing
            or have another shape.
    """
    options = {"output_loading_info": True, "ignore_mismatched_sizes": True}
    model, info = read_pretrained(auto_class, source, key, **options)
    named = dict(model.named_parameters(remove_duplicate=False))
    used = {id(one) for one in (part(model) if part else model).parameters()}
    differing = {name: shapes for name, *shapes in info["mismatched_keys"]}
    lacking = [
        name
        for name in named
        if name in {*info["missing_keys"], *differing}
        and id(named[name]) in used
        and not name.startswith(_UNUSED)
    ]
    if lacking:
        raise ConfigError(_lacking_fault(key, source, lacking, differing, len(named)))
    return model


def read_pretrained(auto_class: str, source: str | Path, key: str, **options: bool) -> Any:
    """Let a class of the library read a folder, or fetch a model of its hub.

    Args:
        auto_class: ``AutoModel``, ``AutoConfig``, ``AutoTokenizer`` and their kin.
        source: the folder, or ``hf-hub:OWNER/MODEL``.
        key: key of the configuration that names it.
        options: further arguments of the class's ``from_pretrained``.

    Raises:
        ConfigError: if it cannot be had or read.
    """
    library = transformers_library(key)
    is_hub = isinstance(source, str)
    if not is_hub and not Path(source).is_dir():
        raise ConfigError(f"{key}: there is no folder {source}")
    read = partial(getattr(library, auto_class).from_pretrained, **options)
    with _quiet(library):
        try:
            if isinstance(source, str):
                return from_hub(partial(read, source.removeprefix(HUB_PREFIX)))
            return read(str(source), local_files_only=True)
        except Exception as error:  # the library and its hub raise whatever they like
            raise ConfigError(_reading_fault(key, source, is_hub, error)) from error


def model_from_shape(auto_class: str, shape: Mapping[str, Any], key: str) -> nn.Module:
    """An untrained model of a shape.

    Raises:
        ConfigError: if the installed library does not know it.
    """
    library = transformers_library(key)
    values = dict(shape)
    try:
        config = library.AutoConfig.for_model(values.pop("model_type"), **values)
        model: nn.Module = getattr(library, auto_class).from_config(config)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{key}: the installed transformers {library.__version__} cannot build a "
            f"{shape.get('model_type')!r}: {error}"
        ) from error
    return model


def _lacking_fault(
    key: str,
    source: str | Path,
    lacking: list[str],
    differing: Mapping[str, Any],
    count: int,
) -> str:
    first = lacking[0]
    if first in differing:
        theirs, ours = (tuple(shape) for shape in differing[first])
        what = f"{first} has the shape {theirs} there and {ours} in the model of its config.json"
    else:
        what = f"it lacks {', '.join(lacking[:_SHOWN])}"
    more = f" and {len(lacking) - _SHOWN:,} more" if len(lacking) > _SHOWN else ""
    return (
        f"{key}: {source} holds {count - len(lacking):,} of the {count:,} tensors of its model; "
        f"{what}{more}. Name a folder with all of them."
    )


def _reading_fault(key: str, source: str | Path, is_hub: bool, error: Exception) -> str:
    reason = f"{type(error).__name__}: {str(error).strip()}".split("\n", maxsplit=1)[0]
    if is_hub:
        return (
            f"{key} = {str(source)!r} is neither in the library's cache nor to be had from its hub "
            f"({type(error).__name__}). On a machine with network fetch the whole folder "
            f"({str(source).removeprefix(HUB_PREFIX)}), and set {key} to its path. Meanwhile the "
            f"same command with {key} left out trains on words from scratch."
        )
    folder = Path(source)
    if isinstance(error, ImportError):
        return (
            f"{key}: {source} needs a library that is not installed ({' '.join(reason.split())}). "
            'Install it with: pip install "latentvqa[hf]"'
        )
    if not any(any(folder.glob(pattern)) for pattern in _WEIGHT_FILES):
        reason = f"it holds no weights ({', '.join(_WEIGHT_FILES)}); {reason}"
    return f"{key}: {source} cannot be read as a model of the transformers library: {reason}"


@contextmanager
def _quiet(library: Any) -> Iterator[None]:
    """Keep the library's bars and warnings off the screen."""
    logging = library.utils.logging
    level, had_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bar:
            logging.enable_progress_bar()
