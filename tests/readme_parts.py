"""Parts of README, manual and results that a program writes, between two comments of their name.

A part named ``topics`` stands between ``<!-- topics -->`` and ``<!-- /topics -->``.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
MANUAL = ROOT / "latentvqa" / "docs"
RESULTS = ROOT / "tests" / "benchmarks" / "RESULTS.md"

_OPENING = re.compile(r"^<!-- ([a-z-]+) -->$", re.MULTILINE)


def documents() -> list[Path]:
    """README, every page of the manual, and the results of the benchmarks."""
    return [README, *sorted(MANUAL.glob("*.md")), RESULTS]


def documentation() -> str:
    """All that a user can read, as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in documents())


def part_names(path: Path) -> list[str]:
    """The parts of a document, in its order."""
    return _OPENING.findall(path.read_text(encoding="utf-8"))


def document_of(name: str) -> Path:
    """The one document that holds a part."""
    found = [path for path in documents() if name in part_names(path)]
    assert len(found) == 1, f"part {name} stands in {[path.name for path in found]}"
    return found[0]


def readme_part(name: str) -> str:
    """What stands between the comments of a part."""
    text = document_of(name).read_text(encoding="utf-8")
    start, end = _ends(text, name)
    return text[start:end].strip("\n")


def write_readme_part(name: str, content: str) -> None:
    """Put content between the comments of a part."""
    path = document_of(name)
    text = path.read_text(encoding="utf-8")
    start, end = _ends(text, name)
    path.write_text(f"{text[:start]}\n{content}\n{text[end:]}", encoding="utf-8")


def _ends(text: str, name: str) -> tuple[int, int]:
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    return text.index(opening) + len(opening), text.index(closing)
