"""Which device and precision are taken, and numbers on their way from it."""

import re
import subprocess
from pathlib import Path

import pytest
import torch

from latentvqa.engine.runtime.device import (
    NumberInTransit,
    autocast,
    choose_device,
    choose_precision,
    memory_of,
    numeric_platform,
    peak_memory_mib,
)
from latentvqa.errors import ConfigError

CPU = torch.device("cpu")
STATUS = Path("/proc/self/status")


def test_a_device_that_is_named_is_taken_and_auto_finds_one_that_computes():
    assert choose_device("cpu") == CPU
    assert float(torch.ones(2, device=choose_device("auto")).sum()) == 2.0


@pytest.mark.parametrize(
    "name", ["frog", "maia", "hpu", "cuda:77", "cpu:x", "meta", "cuda:99999999999999999999", ""]
)
def test_a_device_that_is_not_there_is_named_with_what_to_use(name):
    with pytest.raises(ConfigError, match=r'cannot be used here: .*Use "auto" or "cpu"') as refused:
        choose_device(name)
    assert f'run.device = "{name}"' in str(refused.value)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400


def test_the_memory_of_the_processor_is_no_more_than_the_machine_has():
    physical = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert 0 < memory_of(CPU) <= physical


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
def test_a_precision_that_is_asked_for_is_taken(wanted):
    assert choose_precision(wanted, CPU) == wanted


def test_an_automatic_precision_is_one_of_both_and_fp32_on_other_devices():
    assert choose_precision("auto", CPU) in ("fp32", "bf16")
    assert choose_precision("auto", torch.device("mps")) == "fp32"


def test_products_have_the_precision_that_was_chosen():
    x = torch.ones(4, 4)
    for precision, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(CPU, precision):
            assert (x @ x).dtype is kind
    assert (x @ x).dtype is torch.float32


def test_a_number_arrives_as_it_was_and_without_its_graph():
    value = torch.tensor(2.5, requires_grad=True)
    assert NumberInTransit(value * 3).read() == 7.5
    assert value.grad is None


@pytest.mark.skipif(not STATUS.is_file(), reason="there is no /proc here")
def test_the_peak_of_the_process_is_in_mib_and_no_less_than_the_systems_own_mark():
    peak = peak_memory_mib(CPU)
    (line,) = (text for text in STATUS.read_text().splitlines() if text.startswith("VmHWM"))
    marked = int(line.split()[1]) / 1024  # KiB
    # a parent's peak may be inherited, hence the room above
    assert 0.95 * marked <= peak <= 100 * marked


def test_the_platform_names_what_decides_about_bits():
    named = numeric_platform()
    processor = named.pop("processor")
    assert named == {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    # by the system's own tool: two processors with one instruction set differ in their bits
    shown = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout
    facts = {name.strip(): value.strip() for name, value in re.findall("(.+?):(.+)", shown)}
    if "Vendor ID" in facts and "CPU family" in facts:
        assert processor == f"{facts['Vendor ID']} {facts['CPU family']} {facts['Model']}"
    assert processor
