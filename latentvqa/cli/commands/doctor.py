"""``latentvqa doctor``: what a report of a fault needs to say of the machine."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from latentvqa.report.text import say

_PACKAGES = (
    *("latentvqa", "torch", "torchvision", "timm", "transformers", "peft", "numpy", "pandas"),
    *("pillow", "pyarrow", "safetensors", "huggingface-hub", "gradio", "tensorboard", "wandb"),
    *("trackio", "onnx", "onnxscript", "onnxruntime"),
)


def doctor() -> None:
    """Show versions, devices and weights, for the report of a fault.

    Example: latentvqa doctor
    """
    for name, text in _facts():
        say(f"{name:<18}{text}", is_prose=True)


def _facts() -> Iterator[tuple[str, str]]:
    yield "python", f"{platform.python_version()} at {sys.executable}"
    yield "system", platform.platform()
    for name in _PACKAGES:
        yield name, _version(name)
    yield from _devices()
    free = shutil.disk_usage(Path.cwd()).free
    yield "free disk", f"{free / 1e9:,.1f} GB in {Path.cwd()}"
    shared = Path("/dev/shm")
    if shared.is_dir():
        yield "shared memory", f"{shutil.disk_usage(shared).free / 1e9:,.1f} GB free"
    yield from _weights()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _devices() -> Iterator[tuple[str, str]]:
    import torch

    from latentvqa.engine.runtime.device import choose_device, choose_precision

    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    yield "threads", f"{torch.get_num_threads()} of {os.cpu_count()}, OMP_NUM_THREADS {threads}"
    for place in range(torch.cuda.device_count()):
        known = torch.cuda.get_device_properties(place)
        yield f"cuda:{place}", f"{known.name}, {known.total_memory / 1e9:,.0f} GB"
    device = choose_device("auto")
    yield "device", f"{device}, {choose_precision('auto', device)} where run.device is auto"


def _weights() -> Iterator[tuple[str, str]]:
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        known = sorted(one.repo_id for one in scan_cache_dir().repos if one.repo_type == "model")
    except CacheNotFound:
        known = []
    yield "weights at hand", ", ".join(known) or "none in the cache of the hub"
