"""Every sample of output is what the package prints, and every list what it holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.benchmarks.tables import TABLES
from tests.docs.samples import LISTS, SAMPLES
from tests.readme_parts import documents, part_names, readme_part

ANEW = "run: python -m tests.docs.write"
IDS = [path.name for path in documents()]
FENCE = re.compile(r"^```(\S*)\n.*?^```$", re.MULTILINE | re.DOTALL)
# what is typed or read, not printed
WRITTEN = {"sh", "toml", "csv", "python", "json", "text"}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_what_the_package_prints(name: str) -> None:
    assert readme_part(name) == SAMPLES[name](), ANEW


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_what_the_package_holds(name: str) -> None:
    assert readme_part(name) == LISTS[name](), ANEW


@pytest.mark.parametrize("path", documents(), ids=IDS)
def test_every_block_of_output_is_made_by_the_package(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    made = [readme_part(name) for name in part_names(path)]
    for block in FENCE.finditer(text):
        if block.group(1) not in WRITTEN:
            assert block.group(1) == "console", block.group(0)[:80]
            assert block.group(0) in made, block.group(0)[:80]


def test_every_part_has_what_makes_it() -> None:
    made = {*SAMPLES, *LISTS, *TABLES, "confusion"}
    assert sorted(name for path in documents() for name in part_names(path)) == sorted(made)


# a CSV line and a threshold's description are not wrapped
@pytest.mark.parametrize("name", sorted({*SAMPLES} - {"predictions", "explained"}))
def test_a_sample_fits_a_terminal_of_80_columns(name: str) -> None:
    assert all(len(line) <= 80 for line in readme_part(name).splitlines())
