"""The transformers library (extra ``hf``): models from a folder, its hub, or a shape alone.

Only safe formats are read: safetensors, and ``.bin`` files as plain tensors.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from latentvqa.errors import ConfigError
from latentvqa.models.hub import HUB_PREFIX, from_hub

_WEIGHT_FILES = ("*.safetensors", "*.bin")


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


def read_pretrained(auto_class: str, source: str | Path, key: str) -> Any:
    """Let a class of the library read a folder, or fetch a model of its hub.

    Args:
        auto_class: ``AutoModel``, ``AutoConfig``, ``AutoTokenizer`` and their kin.
        source: the folder, or ``hf-hub:OWNER/MODEL``.
        key: key of the configuration that names it.

    Raises:
        ConfigError: if it cannot be had or read.
    """
    library = transformers_library(key)
    is_hub = isinstance(source, str)
    if not is_hub and not Path(source).is_dir():
        raise ConfigError(f"{key}: there is no folder {source}")
    read = getattr(library, auto_class).from_pretrained
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


def _reading_fault(key: str, source: str | Path, is_hub: bool, error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]
    if is_hub:
        return (
            f"{key} = {str(source)!r} is neither in the library's cache nor to be had from its hub "
            f"({type(error).__name__}). On a machine with network fetch the whole folder "
            f"({str(source).removeprefix(HUB_PREFIX)}), and set {key} to its path. Meanwhile the "
            f"same command with {key} left out trains on words from scratch."
        )
    folder = Path(source)
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
