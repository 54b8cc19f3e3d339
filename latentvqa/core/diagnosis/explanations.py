"""What a rule means and why it exists, as text for ``diagnose-kl --explain``."""

from __future__ import annotations

import difflib
from textwrap import fill

from latentvqa.core.rules.catalogue import RULES, thresholds_of
from latentvqa.core.rules.rule import Rule
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.errors import ConfigError

WIDTH = 80  # columns of a line at most


def explained(asked: str, limits: KLHealthThresholds, width: int = WIDTH) -> str:
    """The explanation of a rule as text, with its thresholds.

    Args:
        asked: a code or a name, in any case.
        limits: thresholds in use.
        width: columns of a line.

    Raises:
        ConfigError: naming the nearest code, if there is no such rule.
    """
    rule = _rule_named(asked)
    reason = f"{rule.why} {rule.look_at}".rstrip()
    lines = [f"{rule.code} {rule.name}", "", fill(rule.meaning, width), "", fill(reason, width)]
    if rule.thresholds:
        lines += ["", fill("Thresholds ([kl_health], or --set kl_health.KEY=VALUE):", width)]
        lines += [
            fill(
                f"  {threshold.key} = {threshold.value:g}: {threshold.description}",
                width,
                subsequent_indent="    ",
            )
            for threshold in thresholds_of(rule, limits)
        ]
    return "\n".join([*lines, "", fill(f"Source: {rule.source}", width)])


def _rule_named(asked: str) -> Rule:
    wanted = asked.strip().lower().replace(" ", "_")  # as it is shown, or as it is named
    for rule in RULES:
        if wanted in (rule.code.lower(), rule.name):
            return rule
    codes = sorted(rule.code for rule in RULES)
    names = [text for rule in RULES for text in (rule.code, rule.name)]
    nearest = difflib.get_close_matches(asked.strip().upper(), names, n=1, cutoff=0.0) or codes
    raise ConfigError(
        f"--explain {asked}: there is no such rule; the nearest is {nearest[0]}, and the codes are "
        f"{', '.join(codes)}"
    )
