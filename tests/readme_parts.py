"""Parts of the README that a program writes, between ``<!-- name -->`` and ``<!-- /name -->``."""

from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def readme_part(name: str) -> str:
    """What stands between the markers of a part."""
    text = README.read_text(encoding="utf-8")
    start, end = _ends(text, name)
    return text[start:end].strip("\n")


def write_readme_part(name: str, content: str) -> None:
    """Put content between the markers of a part."""
    text = README.read_text(encoding="utf-8")
    start, end = _ends(text, name)
    README.write_text(f"{text[:start]}\n{content}\n{text[end:]}", encoding="utf-8")


def _ends(text: str, name: str) -> tuple[int, int]:
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    return text.index(opening) + len(opening), text.index(closing)
