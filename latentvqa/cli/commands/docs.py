"""``latentvqa docs``: the manual in the terminal, or its Markdown where stdout is none.

Pages are the Markdown files of ``latentvqa/docs``; a page's name is its topic
and its first heading its line in the list.
"""

from __future__ import annotations

import os
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from rich.console import (
        Console,
        ConsoleOptions,
        OverflowMethod,
        RenderableType,
        RenderResult,
    )

ORDER = (
    "init",
    "train",
    "data",
    "evaluate",
    "diagnose-kl",
    "rules",
    "other-logs",
    "predict",
    "demo",
    "export",
    "ablate",
    "schedules",
    "configuration",
    "run-folder",
    "guarantees",
    "library",
    "vietnamese",
    "recipe-origins",
    "changelog",
)
_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_PAGE_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([\w-]+)\.md(?:#[\w-]*)?\)")


def docs(
    topic: Annotated[
        str | None, typer.Argument(metavar="[TOPIC]", help="Page to read; without it a list.")
    ] = None,
) -> None:
    """Read the manual, through a pager on a terminal.

    Example: latentvqa docs data
    """
    from latentvqa.report.console import PlainConsole

    pages = manual_pages()
    console = PlainConsole()
    if topic is None:
        console.print(_topic_list(pages), soft_wrap=not console.is_terminal)
        return
    text = _COMMENT.sub("", _page(pages, topic).read_text(encoding="utf-8"))
    if not console.is_terminal:
        typer.echo(text.rstrip("\n"))
        return
    # less shows colours only if it is asked to; -F -X leaves a short page on the screen
    os.environ["LESS"] = f"{os.environ.get('LESS', '-FX')} -R"
    with console.pager(styles=True, links=False):
        console.print(_rendered(text))


def manual_pages() -> dict[str, Traversable]:
    """Every page of the manual by topic, in the order of reading."""
    folder = files("latentvqa") / "docs"
    found = {
        page.name.removesuffix(".md"): page
        for page in folder.iterdir()
        if page.name.endswith(".md")
    }
    last = len(ORDER)
    places = {topic: place for place, topic in enumerate(ORDER)}
    return dict(sorted(found.items(), key=lambda pair: (places.get(pair[0], last), pair[0])))


def _page(pages: dict[str, Traversable], topic: str) -> Traversable:
    import difflib

    from latentvqa.errors import ConfigError

    wanted = topic.strip().lower().removesuffix(".md")
    if wanted in pages:
        return pages[wanted]
    nearest = difflib.get_close_matches(wanted, pages, n=1, cutoff=0.0) or list(pages)[:1]
    raise ConfigError(
        f"docs {topic}: there is no such topic; the nearest is {nearest[0]}, and the topics are "
        f"{', '.join(pages)}"
    )


def _topic_list(pages: dict[str, Traversable]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for topic, page in pages.items():
        heading = page.read_text(encoding="utf-8").partition("\n")[0]
        table.add_row(topic, Text(heading.lstrip("# ").replace("`", "")))
    table.add_row("", "")
    table.add_row("", Text("Read one with: latentvqa docs TOPIC"))
    return table


def _rendered(text: str) -> RenderableType:
    """Markdown for a terminal: samples unframed, links as the commands that open them."""
    from rich.markdown import CodeBlock, Heading, Markdown
    from rich.text import Text

    from latentvqa.report.style import INFO

    class Sample(CodeBlock):
        """A block as it stands; a narrow screen breaks what is typed and cuts what is printed."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            block = str(self.text).rstrip()
            is_output = self.lexer_name == "console"
            overflow: OverflowMethod = "ellipsis" if is_output else "fold"
            yield Text(block, style=INFO, overflow=overflow, no_wrap=is_output)
            widest = max(map(len, block.splitlines()), default=0)
            if is_output and widest > options.max_width:
                yield Text(f"(cut: a terminal of {widest} columns shows all of it)", style="dim")

    class Title(Heading):
        """A heading at the left margin."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            self.text.justify = "left"
            if self.tag == "h1":
                self.text.stylize("bold underline")
            yield Text("")
            yield self.text

    class Page(Markdown):
        """The manual's Markdown."""

        elements = {  # noqa: RUF012
            **Markdown.elements,
            "fence": Sample,
            "code_block": Sample,
            "heading_open": Title,
        }

    linked = _PAGE_LINK.sub(_as_command, _PICTURE.sub(r"(picture: \1)", text))
    return Page(linked, hyperlinks=False)


def _as_command(link: re.Match[str]) -> str:
    shown, topic = link.groups()
    return f"{shown} (`latentvqa docs {topic}`)"
