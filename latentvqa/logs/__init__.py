"""Logs of LatentVQA and of other tools, read as one kind of history."""

from latentvqa.logs.options import LogOptions, log_options
from latentvqa.logs.reading import read_log

__all__ = ["LogOptions", "log_options", "read_log"]
