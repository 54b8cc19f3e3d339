"""``latentvqa data``: what is done with question tables before a training."""

from latentvqa.cli.commands.data.group import app

__all__ = ["app"]
