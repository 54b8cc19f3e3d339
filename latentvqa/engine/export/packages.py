"""The packages of the extra ``onnx``, asked for before any work is done."""

from __future__ import annotations

import importlib.util

from latentvqa.errors import ConfigError

PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def require_packages() -> None:
    """Refuse to go on without the packages that write and run ONNX.

    Raises:
        ConfigError: naming those that are missing, with the command that installs them.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the export to ONNX needs {', '.join(missing)}, not installed here: "
            'pip install "latentvqa[onnx]"'
        )
