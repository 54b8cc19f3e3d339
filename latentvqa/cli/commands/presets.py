"""``latentvqa presets``: the configurations that ship with the package."""

from __future__ import annotations

from typing import Annotated

import typer

from latentvqa.report.text import say


def presets(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this one as TOML.")
    ] = None,
) -> None:
    """List the presets: what each is for, needs and reached.

    Example: latentvqa presets photos-small > run.toml
    """
    from importlib import resources

    from latentvqa.config.loading import preset_layer
    from latentvqa.config.preset_facts import preset_facts

    if name is not None:
        preset_layer(name)
        say((resources.files("latentvqa") / "presets" / f"{name}.toml").read_text("utf-8").rstrip())
        return
    from rich.padding import Padding
    from rich.text import Text

    from latentvqa.report.console import PlainConsole
    from latentvqa.report.whole_words import Prose

    console = PlainConsole()
    for facts in preset_facts():
        console.print(Text(facts.name, "bold"))
        for said in (facts.purpose, f"Reached: {facts.expected}" if facts.expected else ""):
            if said:
                console.print(Padding(Prose(said), (0, 0, 0, 4)))
