"""HTML pages from the package's templates; every text in them is escaped.

The template engine takes a twentieth of a second to load, so that it is loaded
where a page is made and nowhere else.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from latentvqa.report.style import DARK, LIGHT
from latentvqa.report.text import escaped

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, **values: Any) -> str:
    """Fill a template.

    Args:
        template: its file in the package's templates.
        values: by the names that the template uses; all texts are escaped but
            those that are markup already, and control characters in any.
    """
    return escaped(_environment().get_template(template).render(values))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("latentvqa.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"light": LIGHT, "dark": DARK, "variables": _variables}
    return environment


def _variables(colours: dict[str, str]) -> str:
    """Colours as declarations of a style sheet."""
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
