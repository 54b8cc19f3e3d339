"""Help and errors of usage as this program shows them: groups and commands of Typer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from latentvqa.cli.usage_hints import argument_hint, option_hint
from latentvqa.report.style import CRITICAL, INFO, OK, WARNING
from latentvqa.report.text import escaped

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
# Typer's are those of a dark screen, and what it dims is hardly seen on any
_STYLES = {
    "OPTION": f"bold {INFO}",
    "COMMANDS_TABLE_FIRST_COLUMN": f"bold {INFO}",
    "SWITCH": f"bold {OK}",
    "TYPES": f"bold {WARNING}",
    "USAGE": WARNING,
    "REQUIRED_SHORT": CRITICAL,
    "ERRORS_PANEL_BORDER": CRITICAL,
    "ERRORS_SUGGESTION": "",
    "HELPTEXT": "",
}


class _Plain:
    """Help without the types of Python, which say nothing that metavar and text do not."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, in the colours of the other screens."""
        _set_styles()
        super().format_help(ctx, formatter)  # type: ignore[misc]

    def get_params(self, ctx: Any) -> list[Any]:
        """Give options and arguments; of a flag nothing stands behind its name."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for one in parameters:
            if isinstance(one, TyperArgument):
                one.display_type_rich = lambda ctx: ""  # type: ignore[method-assign]
            elif one.is_flag:
                one.metavar = ""
        return parameters


class Group(_Plain, TyperGroup):
    """A group of commands."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Parse; errors are in the colours of the other screens."""
        with _legible_errors():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run a command, likewise."""
        with _legible_errors():
            return super().invoke(ctx)


class Command(_Plain, TyperCommand):
    """A command whose errors of usage name the words to write."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, and say of what cannot be used where it belongs."""
        given = list(args)
        ctx.allow_extra_args = True
        try:
            rest = super().parse_args(ctx, args)
        except _USAGE_ERROR as error:
            if type(error).__name__ == "NoSuchOption" and "--set" in self._options(ctx):
                _add_hint(error, self.name or "", given)
            raise
        if rest and not ctx.resilient_parsing:
            extra = "arguments" if len(rest) > 1 else "argument"
            told = f"Got unexpected extra {extra}: {' '.join(rest)}"
            hints = [argument_hint(text, self._options(ctx)) for text in rest]
            lines = [f"  {hint}" for hint in hints if hint]
            ctx.fail(escaped("\n".join([f"{told}. Write:", *lines] if lines else [told])))
        return rest

    def _options(self, ctx: Any) -> list[str]:
        return [name for parameter in self.get_params(ctx) for name in parameter.opts]


def _add_hint(error: Any, command: str, given: list[str]) -> None:
    if hint := option_hint(error.option_name, command, given):
        error.message = escaped(f"{error.message}. {hint}")
        error.possibilities = None


@contextmanager
def _legible_errors() -> Iterator[None]:
    try:
        yield
    except _USAGE_ERROR:
        _set_styles()
        raise


def _set_styles() -> None:
    from typer import rich_utils  # takes a tenth of a second

    for name, style in _STYLES.items():
        setattr(rich_utils, f"STYLE_{name}", style)
    rich_utils.RICH_HELP = rich_utils.RICH_HELP.replace("[blue]", f"[{INFO}]")
