"""The thresholds of a diagnosis: those of the log, with the command line's on top."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from latentvqa.core.quoting import cut, shortened
from latentvqa.core.rules.thresholds import RETIRED, KLHealthThresholds
from latentvqa.core.toml_text import toml_value
from latentvqa.errors import ConfigError

PREFIX = "kl_health."


def resolved_thresholds(
    logged: Mapping[str, float], overrides: Sequence[str] = ()
) -> tuple[KLHealthThresholds, list[str]]:
    """Thresholds of a log, with overrides, and what had to be ignored.

    Args:
        logged: the header's thresholds; those that this version does not know
            or cannot accept give way to the defaults, with a note.
        overrides: ``kl_health.KEY=VALUE``.

    Returns:
        The thresholds and notes.

    Raises:
        ConfigError: with every fault of the overrides at once.
    """
    known = KLHealthThresholds.model_fields
    notes: list[str] = []
    logged = {key: value for key, value in logged.items() if key not in RETIRED}
    base = {key: value for key, value in logged.items() if key in known}
    if len(base) < len(logged):
        unknown = ", ".join(ascii(key) for key in sorted(logged.keys() - base.keys())[:5])
        notes.append(f"Thresholds of the log that this version does not know: {unknown}.")
    try:
        KLHealthThresholds.model_validate(base)
    except ValidationError:
        notes.append("The log's thresholds are out of bounds: the defaults are used.")
        base = {}
    changed: dict[str, object] = {}
    faults: list[str] = []
    for override in overrides:
        key, _, text = override.partition("=")
        name = key.strip().removeprefix(PREFIX)
        if not key.strip().startswith(PREFIX) or "=" not in override:
            faults.append(f"--set {cut(override, 80)}: expected {PREFIX}KEY=VALUE")
        elif name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            faults.append(
                f"--set {cut(override, 80)}: unknown key; the nearest is {PREFIX}{nearest[0]}"
            )
        else:
            changed[name] = toml_value(text)
    try:
        thresholds = KLHealthThresholds.model_validate({**base, **changed})
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            where = ".".join(map(str, fault["loc"])) or "kl_health"
            value = f" = {shortened(changed[where])}" if where in changed else ""
            faults.append(f"--set: {where}{value}: {fault['msg']}")
    if faults:
        raise ConfigError("\n".join(faults))
    return thresholds, notes


def free_bits_to_try(text: str) -> float:
    """The X of ``--what-if free_bits=X``.

    Raises:
        ConfigError: if it is anything but a number of at least 0.
    """
    key, _, value = text.partition("=")
    try:
        free_bits = float(value)
    except ValueError:
        free_bits = math.nan
    if key.strip() != "free_bits" or not math.isfinite(free_bits) or free_bits < 0.0:
        raise ConfigError(f"--what-if {cut(text, 80)}: expected free_bits=X with X nats, 0 or more")
    return free_bits
