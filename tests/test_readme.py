"""The README names every command, option, rule and configuration key, and no other key."""

from __future__ import annotations

import json
import re
from textwrap import fill
from typing import Any

import pytest
import typer

from latentvqa.cli import app
from latentvqa.config import Config, preset_names
from latentvqa.core.rules.catalogue import RULES
from tests.readme_parts import README, readme_part, write_readme_part

_MARK = "<!-- config -->"


def config_reference() -> str:
    """The configuration reference as Markdown, from the sections themselves."""
    parts = []
    for name, section in Config.model_fields.items():
        model = section.annotation
        rows = [f"**[{name}]** {model.__doc__.strip().splitlines()[0]}", ""]
        rows += ["| key | default | values | meaning |", "|---|---|---|---|"]
        schema = model.model_json_schema()["properties"]
        for key, field in model.model_fields.items():
            default = field.get_default(call_default_factory=True)
            shown = "" if default is None else f"`{json.dumps(default)}`"
            meaning = (field.description or "").replace("|", "\\|").replace("\n", " ")
            rows.append(f"| `{key}` | {shown} | {_values(schema[key])} | {meaning} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _values(schema: dict[str, Any]) -> str:
    """What a key may hold: bounds or choices, from its JSON schema."""
    branches = [branch for branch in schema.get("anyOf", [schema]) if branch.get("type") != "null"]
    return " or ".join(dict.fromkeys(_branch(branch) for branch in branches))


def _branch(schema: dict[str, Any]) -> str:
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if choices:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in choices)
    if schema.get("type") == "array":
        return f"list of {_branch(schema['items'])}"
    kind = {"path": "path", None: schema.get("type", "")}.get(schema.get("format"))
    bounds = [
        f"{sign} {schema[name]:g}"
        for name, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if name in schema
    ]
    return f"{kind} {', '.join(bounds)}".strip()


def rule_reference() -> str:
    """Every rule in order of precedence as Markdown, from the declarations themselves."""
    order = fill(
        "The verdict is the most severe finding that holds at the last epoch. Among equals it is "
        "the one that stands first in this table. A fault that is over is shown as past and "
        "decides nothing.",
        80,
    )
    rows = ["| code | name | what it says | source |", "|---|---|---|---|"]
    rows += [f"| {r.code} | `{r.name}` | {r.meaning} | {r.source} |" for r in RULES]
    return "\n".join([order, "", *rows])


def _commands() -> list[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    found: list[tuple[str, Any]] = []
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found += (
            [(f"{name} {sub}", one) for sub, one in inner.items()] if inner else [(name, command)]
        )
    return found


def test_the_config_reference_is_that_of_the_sections() -> None:
    text = README.read_text(encoding="utf-8")
    assert config_reference() in text, "run: python -m tests.test_readme"


def test_the_rules_are_those_of_the_package() -> None:
    assert readme_part("rules") == rule_reference(), "run: python -m tests.test_readme"


@pytest.mark.parametrize(("name", "command"), _commands())
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    text = README.read_text(encoding="utf-8")
    assert f"latentvqa {name} " in text
    for parameter in command.params:
        if parameter.opts[0].startswith("--"):
            assert parameter.opts[0] in text, f"{name} {parameter.opts[0]}"


def test_every_preset_is_documented() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in preset_names())


if __name__ == "__main__":
    document = README.read_text(encoding="utf-8")
    start = document.index(_MARK) + len(_MARK)
    end = re.compile(r"\n## ").search(document, start)
    assert end is not None
    README.write_text(
        document[:start] + "\n\n" + config_reference() + "\n" + document[end.start() :],
        encoding="utf-8",
    )
    write_readme_part("rules", rule_reference())
