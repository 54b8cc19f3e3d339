"""Which device, how many threads, which precision; decided once and written down."""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from latentvqa.core.quoting import cut
from latentvqa.errors import ConfigError

Precision = Literal["fp32", "bf16"]

_CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)

_PROCESSORS = Path("/proc/cpuinfo")
# of x86, then of ARM
_PROCESSOR_FACTS = ("vendor_id", "cpu family", "model", "CPU implementer", "CPU part")


def choose_device(name: str) -> torch.device:
    """Resolve ``run.device``; ``"auto"`` takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: if torch does not know the device or it is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = cut(str(error).splitlines()[0], 250)  # some list all that torch knows
        raise ConfigError(
            f'run.device = "{name}" cannot be used here: {reason}. Use "auto" or "cpu".'
        ) from error
    return device


def choose_precision(wanted: Literal["auto", "fp32", "bf16"], device: torch.device) -> Precision:
    """Resolve ``run.precision``: bf16 where the device multiplies faster with it."""
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu":
        return "bf16" if _is_bf16_faster_on_cpu() else "fp32"
    return "fp32"


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Context in which the models run."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def peak_memory_mib(device: torch.device) -> float | None:
    """Highest memory use so far: of the device, or of the process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - there is none on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def memory_of(device: torch.device) -> float:
    """Bytes of memory that a device has in all; infinite where the system does not say."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[1])
    try:
        physical = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        physical = math.inf
    return min([physical, *map(_limit_in, _CONTAINER_LIMITS)])


def _limit_in(path: Path) -> float:
    """The memory that a container may take, by one of the files that say it."""
    try:
        return float(path.read_text("ascii"))  # or the word "max"
    except (OSError, ValueError):
        return math.inf


def numeric_platform() -> dict[str, Any]:
    """What decides about the bits of a CPU run."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "processor": _processor(),
    }


def _processor() -> str:
    """Vendor, family and model: MKL and oneDNN choose their kernels by them."""
    try:
        first, _, _ = _PROCESSORS.read_text("utf-8").partition("\n\n")
    except (OSError, ValueError):
        return platform.processor() or platform.machine()
    said = dict(line.split(":", 1) for line in first.splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in said.items()}
    named = [facts[name] for name in _PROCESSOR_FACTS if name in facts]
    return " ".join(named) or platform.machine()


class NumberInTransit:
    """A number on its way from the device to the host.

    Asked for after a step and read before the next one, it lets an accelerator
    work on meanwhile: the host waits for the pass that made the number, not for
    what was queued behind it. On a CPU the number is there at once.

    Args:
        value: a scalar; later changes of it may or may not be seen.
    """

    def __init__(self, value: Tensor) -> None:
        # only CUDA gives the host a copy that an event can be waited for
        self._number = value.detach().to("cpu", non_blocking=value.is_cuda)
        self._arrival: torch.cuda.Event | None = None
        if value.is_cuda:
            self._arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrival.record()

    def read(self) -> float:
        """Wait until the number is there."""
        if self._arrival is not None:
            self._arrival.synchronize()
        return float(self._number)


def _is_bf16_faster_on_cpu() -> bool:
    x = torch.ones(512, 512)
    half = x.bfloat16()
    # a margin: near-equal speed is no reason to give up precision
    return _seconds(lambda: half @ half) * 1.3 < _seconds(lambda: x @ x)


def _seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
