import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "latentvqa/docs/guarantees.md"
NAMED = sorted(set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8"))))


def test_every_promise_names_a_test():
    lines = PAGE.read_text(encoding="utf-8").split("## Not promised")[0].splitlines()
    promises = [line for line in lines if line.startswith("| ")][1:]
    assert len(promises) > 10
    assert all("`test_" in line for line in promises)


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_page_names_is_there(name):
    pattern = re.compile(rf"^def {name}\(", re.MULTILINE)
    files = [path for path in TESTS.rglob("test_*.py") if pattern.search(path.read_text("utf-8"))]
    assert len(files) == 1
