"""Which epochs of a long run a short table shows. It cuts nothing that is not said."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.core.records import EpochRecord
from latentvqa.core.rules.rule import Finding

LONG = 20  # epochs up to which a table shows them all
ROWS = 12  # epochs of a longer run, where the screen does not say


def epochs_to_show(
    records: Sequence[EpochRecord], findings: Sequence[Finding], rows: int = ROWS
) -> list[EpochRecord]:
    """First, last and evenly spaced epochs, and those where a finding starts.

    Args:
        records: the epochs, in order.
        findings: what was found; each first epoch is kept.
        rows: rows wanted; findings may bring more.

    Returns:
        All epochs of a run that is not long, else the chosen ones, in order.
    """
    if len(records) <= LONG:
        return list(records)
    starts = {finding.epochs[0] for finding in findings}
    kept = {place for place, record in enumerate(records) if record.epoch in starts}
    last = len(records) - 1
    even = max(2, rows - len(kept - {0, last}))
    kept |= {round(step * last / (even - 1)) for step in range(even)}
    return [records[place] for place in sorted(kept)]


def choice_note(shown: int, total: int) -> str:
    """What is missing from a shortened table; empty where nothing is."""
    return "" if shown == total else f"{shown} of {total} epochs shown; --all-epochs for all"
