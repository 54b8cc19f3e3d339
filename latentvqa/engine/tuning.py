"""What automatic tuning makes of a running configuration.

What to change, and when, is decided in :mod:`latentvqa.core.tuning`.
"""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.config import Config
from latentvqa.core.records import EpochRecord
from latentvqa.core.tuning_events import tuned_values


def tuned_config(config: Config, records: Sequence[EpochRecord]) -> Config:
    """The configuration with which a run goes on after its records.

    Args:
        config: the resolved configuration that the run began with.
        records: its epochs, with what was changed after each.
    """
    for key, value in tuned_values(records).items():
        section, name = key.split(".")
        kind = type(getattr(getattr(config, section), name))
        config = config.replace(section, **{name: kind(value)})
    return config
