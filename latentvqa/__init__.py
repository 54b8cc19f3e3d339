"""Answer questions about images through a latent bottleneck, and know whether it works.

Names are looked up when they are used first, so that importing this is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from latentvqa.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DivergenceError,
    HistoryError,
    LatentVQAError,
    LoaderError,
    OutputError,
    ScorerError,
)

if TYPE_CHECKING:
    from latentvqa.config import Config, load_config
    from latentvqa.engine.complete_run import Run
    from latentvqa.engine.runtime.observer import Observer
    from latentvqa.library.answering import Answerer, load
    from latentvqa.library.answers import Answer
    from latentvqa.library.diagnosis import diagnose, read_log
    from latentvqa.library.evaluation import evaluate
    from latentvqa.library.training import resume, train

    __version__: str

__all__ = [
    "Answer",
    "Answerer",
    "CheckpointError",
    "Config",
    "ConfigError",
    "DataError",
    "DivergenceError",
    "HistoryError",
    "LatentVQAError",
    "LoaderError",
    "Observer",
    "OutputError",
    "Run",
    "ScorerError",
    "__version__",
    "diagnose",
    "evaluate",
    "load",
    "load_config",
    "read_log",
    "resume",
    "train",
]

_MODULES = {
    "Answer": "library.answers",
    "Answerer": "library.answering",
    "Config": "config",
    "Observer": "engine.runtime.observer",
    "Run": "engine.complete_run",
    "diagnose": "library.diagnosis",
    "evaluate": "library.evaluation",
    "load": "library.answering",
    "load_config": "config",
    "read_log": "library.diagnosis",
    "resume": "library.training",
    "train": "library.training",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _version()
    elif name in _MODULES:
        value = getattr(import_module(f"latentvqa.{_MODULES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms

    try:
        return version("latentvqa")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
