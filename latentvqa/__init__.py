"""Answer questions about images through a latent bottleneck, and know whether it works."""

from importlib.metadata import PackageNotFoundError, version

from latentvqa.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DivergenceError,
    HistoryError,
    LatentVQAError,
)

try:
    __version__ = version("latentvqa")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DivergenceError",
    "HistoryError",
    "LatentVQAError",
    "__version__",
]
