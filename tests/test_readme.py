"""The front page is short, shows its picture, and names nothing that does not exist."""

from __future__ import annotations

import re

from latentvqa.core.rules.catalogue import RULES
from tests.readme_parts import README, part_names

MOST_BYTES = 12_000


def test_the_front_page_is_short() -> None:
    assert len(README.read_bytes()) <= MOST_BYTES


def test_the_front_page_shows_a_report_and_the_first_verdict() -> None:
    text = README.read_text(encoding="utf-8")
    assert re.search(r"!\[[^\]]+\]\(latentvqa/docs/pictures/[\w-]+\.png\)", text)
    assert {"quickstart", "commands", "results", "topics"} <= set(part_names(README))


def test_the_verdicts_that_it_explains_are_names_of_rules() -> None:
    section = README.read_text(encoding="utf-8").split("## How to read the verdict")[1]
    rows = re.findall(r"^\| ([^|]+) \|", section.split("\n## ")[0], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(named) >= 6
    assert named <= {"ok", *(rule.name for rule in RULES)}


def test_nothing_on_the_front_page_is_a_placeholder() -> None:
    assert not re.search(r"\b(TODO|LIBRARY|TBD)\b", README.read_text(encoding="utf-8"))
