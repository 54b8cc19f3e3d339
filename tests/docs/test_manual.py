"""The manual names every command, option, preset, plan and key, and none that does not exist."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latentvqa.cli.commands.docs import ORDER, manual_pages
from latentvqa.config import Config, plan_names, preset_names
from latentvqa.config.dotted_keys import dotted_keys
from latentvqa.core.rules.catalogue import RULES
from tests.docs.reference import PAGES
from tests.docs.samples import command_tree
from tests.readme_parts import MANUAL, README, documentation, documents

ANEW = "run: python -m tests.docs.write"
COMMANDS = [(name, one) for name, one in command_tree() if not hasattr(one, "commands")]
# options of other programs that samples call
FOREIGN = {"--logdir", "--signal", "--array", "--wrap", "--split"}
IDS = [path.name for path in documents()]


def manual() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(MANUAL.glob("*.md")))


def blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def known_keys() -> set[str]:
    return {
        f"{name}.{key}"
        for name, section in Config.model_fields.items()
        for key in section.annotation.model_fields  # type: ignore[union-attr]
    }


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_that_of_the_package(name: str) -> None:
    assert (MANUAL / name).read_text(encoding="utf-8") == PAGES[name](), ANEW


def test_every_rule_has_a_section() -> None:
    text = (MANUAL / "rules.md").read_text(encoding="utf-8")
    assert len(RULES) >= 30
    assert all(f"## {rule.code} {rule.name}\n" in text for rule in RULES)


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    text = manual()
    assert f"latentvqa {name} " in text
    for parameter in command.params:
        if parameter.opts[0].startswith("--"):
            assert parameter.opts[0] in text, f"{name} {parameter.opts[0]}"


def synopses() -> dict[str, set[str]]:
    """The options in the synopses of the manual, by command."""
    names = sorted((name for name, _ in COMMANDS), key=len, reverse=True)
    found: dict[str, set[str]] = {}
    for path in sorted(MANUAL.glob("*.md")):
        for block in blocks(path, "text"):
            for call in re.split(r"^latentvqa ", block, flags=re.MULTILINE)[1:]:
                name = next(one for one in names if re.match(rf"{one}\s", call))
                found.setdefault(name, set()).update(re.findall(r"--[a-z-]+", call))
    return found


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_a_synopsis_names_the_options_of_its_command(name: str, command: Any) -> None:
    options = {one.opts[0] for one in command.params if one.opts[0].startswith("--")}
    if options - {"--help"}:
        assert synopses()[name] == options - {"--help"}


@pytest.mark.parametrize("path", documents(), ids=IDS)
def test_every_option_that_is_named_exists(path: Path) -> None:
    known = {option for _, one in command_tree() for held in one.params for option in held.opts}
    known |= {"--help", "--version", "--install-completion", *FOREIGN}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", path.read_text(encoding="utf-8")))
    assert named <= known


@pytest.mark.parametrize("path", documents(), ids=IDS)
def test_every_command_that_is_named_exists(path: Path) -> None:
    words = re.findall(r"(?:`|^|\$ )latentvqa ([a-z][a-z-]+)", path.read_text("utf-8"), re.M)
    assert set(words) <= {name for name, _ in command_tree()}


def test_every_preset_and_every_plan_is_documented() -> None:
    text = manual()
    assert all(f"`{name}`" in text for name in (*preset_names(), *plan_names()))


@pytest.mark.parametrize("path", documents(), ids=IDS)
def test_configuration_samples_hold_known_keys(path: Path) -> None:
    for block in blocks(path, "toml"):
        tables = tomllib.loads(block)
        arms = [tables.pop("base", {}), *tables.pop("arms", {}).values()]
        for key in ("description", "config", "default", "seeds"):
            tables.pop(key, None)
        for held in (tables, *arms):
            assert set(dotted_keys(held)) - {"data.columns.image"} <= known_keys()


@pytest.mark.parametrize("path", documents(), ids=IDS)
def test_every_key_that_is_named_exists(path: Path) -> None:
    sections = "|".join(Config.model_fields)
    named = re.findall(rf"`(?:--set )?((?:{sections})\.[a-z_]+)", path.read_text("utf-8"))
    assert set(named) <= known_keys() | {"data.columns"}


@pytest.mark.parametrize("path", documents(), ids=IDS)
def test_python_samples_name_what_the_package_has(path: Path) -> None:
    import latentvqa

    for block in blocks(path, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "latentvqa":
                assert node.attr in latentvqa.__all__, node.attr
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("latentvqa."):
                called = inspect.signature(getattr(latentvqa, node.func.attr))
                called.bind(*node.args, **{one.arg: one.value for one in node.keywords})


def test_every_function_of_the_package_is_used_on_the_front_page() -> None:
    import latentvqa

    text = README.read_text(encoding="utf-8")
    functions = [one for one in latentvqa.__all__ if inspect.isfunction(getattr(latentvqa, one))]
    assert len(functions) >= 6
    assert all(f"latentvqa.{one}(" in text for one in functions if one != "resume")
    assert all(f"latentvqa.{one}(" in manual() for one in functions if one != "load_config")


def links() -> Iterator[tuple[Path, str]]:
    for path in documents():
        text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not target.startswith(("http:", "https:")):
                yield path, target


@pytest.mark.parametrize(("path", "target"), [(p, t) for p, t in links() if not t.startswith("#")])
def test_every_relative_link_and_picture_leads_to_a_file(path: Path, target: str) -> None:
    assert (path.parent / target.partition("#")[0]).is_file()


@pytest.mark.parametrize(("path", "target"), [(p, t) for p, t in links() if "#" in t])
def test_every_link_to_a_heading_finds_it(path: Path, target: str) -> None:
    file, _, wanted = target.partition("#")
    text = (path.parent / file if file else path).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    assert wanted in made


@pytest.mark.parametrize("topic", manual_pages())
def test_a_page_opens_with_a_heading_that_names_it_in_a_list(topic: str) -> None:
    heading, blank, *_ = (MANUAL / f"{topic}.md").read_text(encoding="utf-8").splitlines()
    assert heading.startswith("# ")
    assert 10 <= len(heading) <= 75
    assert blank == ""


def test_every_page_has_a_place_in_the_list_and_the_front_page_links_it() -> None:
    assert list(manual_pages()) == list(ORDER)
    text = README.read_text(encoding="utf-8")
    assert all(f"(latentvqa/docs/{topic}.md)" in text for topic in ORDER)


def test_pages_speak_the_words_of_the_field() -> None:
    text = re.sub(r"```.*?```", "", documentation(), flags=re.DOTALL)
    found = re.findall(r"\b(laborator\w+|lent|donors?|hears of|quieten\w*)\b", text, re.IGNORECASE)
    assert found == []
