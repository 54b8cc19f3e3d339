"""Files as they come from cameras, tools and broken disks: the right pixels, or a sentence."""

import resource
import sys
import time

import numpy as np
import pytest

from latentvqa.data.decoding import decode_image
from latentvqa.errors import DataError
from tests.data.hostile_images import hostile_images

FEW, ALL = 100, 500
MOST_MIB = 100


def fault_of(hostile, path):
    """What is wrong with what becomes of a file; None if nothing is."""
    path.write_bytes(hostile.content)
    try:
        found = np.asarray(decode_image(path)).astype(int)
    except DataError as error:
        reason = str(error).removeprefix(f"{path}: ")
        is_sentence = reason != str(error) and "\n" not in reason and "<" not in reason
        return None if hostile.expected is None and is_sentence else f"{hostile.name}: {error}"
    if hostile.expected is None:
        return f"{hostile.name}: taken for whole"
    if found.shape != hostile.expected.shape or abs(found - hostile.expected).max() > 1:
        return f"{hostile.name}: other pixels"
    return None


def peak_mib():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def test_a_hundred_hostile_files_give_their_pixels_or_a_sentence(tmp_path):
    faults = [fault_of(hostile, tmp_path / "x.jpg") for hostile in hostile_images(FEW)]
    assert [fault for fault in faults if fault] == []


@pytest.mark.heavy
def test_five_hundred_hostile_files_in_bounded_memory(tmp_path):
    for hostile in hostile_images(FEW):  # every decoder has been loaded then
        fault_of(hostile, tmp_path / "x")
    before, start = peak_mib(), time.monotonic()
    faults = [fault_of(hostile, tmp_path / "x") for hostile in hostile_images(ALL, seed=1)]
    print(f"{ALL} files, {time.monotonic() - start:.1f} s, {peak_mib() - before:.0f} MiB more")
    assert [fault for fault in faults if fault] == []
    assert peak_mib() - before < MOST_MIB
