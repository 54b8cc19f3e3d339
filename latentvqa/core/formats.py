"""The number of a format, and what is said of one that a newer version wrote."""

from __future__ import annotations


def newer_format(source: object, found: object, known: int) -> str | None:
    """What to say of something that this version cannot read yet.

    Args:
        source: where it stands, for people.
        found: the number of its format.
        known: the newest that is read.

    Returns:
        A sentence, or None where the number is no higher, or none.
    """
    if not isinstance(found, int) or isinstance(found, bool) or found <= known:
        return None
    return (
        f"{source}: written by a newer LatentVQA (format {found:,}; this one reads up to {known}): "
        "upgrade LatentVQA to use it"
    )
