"""A configuration as a TOML file for a person: every key with what it means above it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from latentvqa.config.sections import Config
from latentvqa.core.toml_text import written_toml

_WIDTH = 88


def commented_toml(
    heading: str, sections: Mapping[str, Mapping[str, Any]], notes: Mapping[str, str] | None = None
) -> str:
    """Keys as TOML, each below its meaning.

    Args:
        heading: sentences for the top of the file.
        sections: the keys that are written, by section; paths as text.
        notes: what else is said of a key, by ``section.key``, or of a section.

    Raises:
        ConfigError: naming a path that is no text.
    """
    notes = notes or {}
    parts = [_comment(heading)]
    for section, keys in sections.items():
        lines = []
        if section in notes:
            lines.append(_comment(notes[section]))
        lines.append(f"[{section}]")
        meanings = Config.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
        for key, value in keys.items():
            said = [meanings[key].description or "", notes.get(f"{section}.{key}", "")]
            lines.append(_comment(". ".join(text for text in said if text)))
            lines.append(
                written_toml({key: value}).strip()
                if not isinstance(value, Mapping)
                else f"{key} = {_inline(value)}"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _inline(table: Mapping[str, Any]) -> str:
    entries = [written_toml({key: value}).strip() for key, value in table.items()]
    return f"{{ {', '.join(entries)} }}"


def _comment(text: str) -> str:
    # a comment may hold no control character, and names of files may
    text = "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)
    lines = [
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, _WIDTH, break_on_hyphens=False) or [""]
    ]
    return "\n".join(f"# {line}".rstrip() for line in lines)
