"""What each shipped preset is for, as the comment at the head of its file says it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from latentvqa.config.loading import preset_names


@dataclass(frozen=True)
class PresetFacts:
    """A preset in words.

    Attributes:
        name: what ``--preset`` takes.
        purpose: what it is for and needs.
        expected: what it reached.
    """

    name: str
    purpose: str
    expected: str


def preset_facts() -> list[PresetFacts]:
    """All shipped presets, sorted by name."""
    return [_facts(name) for name in preset_names()]


def _facts(name: str) -> PresetFacts:
    text = (resources.files("latentvqa") / "presets" / f"{name}.toml").read_text("utf-8")
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    said = " ".join(" ".join(lines).split())
    purpose, _, expected = said.partition("Expected")
    expected = expected.lstrip(": ")
    return PresetFacts(name, purpose.strip(), expected.strip())
