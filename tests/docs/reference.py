"""The generated pages of the manual: ``rules.md`` and ``configuration.md``."""

from __future__ import annotations

import json
from collections.abc import Callable
from textwrap import fill
from typing import Any

from latentvqa.config import Config
from latentvqa.core.rules.catalogue import RULES, thresholds_of

WIDTH = 80


def rules_page() -> str:
    """Every rule with its reason, and the order in which they speak for a run."""
    order = (
        "The verdict is the most severe finding that holds at the last epoch. Among equals it "
        "is the first in this table. A fault that is over is shown as past and decides nothing."
    )
    lines = [
        "# Every rule: what it says, why it exists, its thresholds",
        "",
        _filled(
            "`latentvqa diagnose-kl --explain CODE` shows one of them in the terminal. "
            "Thresholds are keys of `[kl_health]`: set them in a run's configuration or with "
            "`--set kl_health.KEY=VALUE`. KL here is `kl_token` with the mean over dimensions."
        ),
        "",
        _filled(order),
        "",
        "| code | name | what it says |",
        "|---|---|---|",
        *(f"| {one.code} | `{one.name}` | {one.meaning} |" for one in RULES),
    ]
    for one in sorted(RULES, key=lambda rule: rule.code):
        lines += [
            "",
            f"## {one.code} {one.name}",
            "",
            _filled(f"{one.meaning} {one.why} {one.look_at}"),
            "",
        ]
        lines += [
            f"- `{threshold.key}` = {threshold.value:g}: {threshold.description}"
            for threshold in thresholds_of(one)
        ]
        lines += [""] * bool(one.thresholds)
        lines.append(f"Source: {one.source}.")
    return "\n".join(lines) + "\n"


def configuration_page() -> str:
    """Every key with its default, its values and its meaning."""
    lines = [
        "# Every configuration key, its default and its meaning",
        "",
        _filled(
            "A configuration is a TOML file with these sections, given by `--config`; single "
            'keys are given by `--set section.key=value`. `"auto"` is replaced by what it '
            "became in the run's `config.toml`."
        ),
    ]
    for name, section in Config.model_fields.items():
        model: Any = section.annotation
        lines += ["", f"## [{name}]", "", _filled(model.__doc__.strip().splitlines()[0]), ""]
        lines += ["| key | default | values | meaning |", "|---|---|---|---|"]
        schema = model.model_json_schema()["properties"]
        for key, field in model.model_fields.items():
            default = field.get_default(call_default_factory=True)
            shown = "" if default is None else f"`{json.dumps(default)}`"
            meaning = (field.description or "").replace("|", "\\|").replace("\n", " ")
            lines.append(f"| `{key}` | {shown} | {_values(schema[key])} | {meaning} |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "rules.md": rules_page,
    "configuration.md": configuration_page,
}


def _filled(text: str) -> str:
    return fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


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
