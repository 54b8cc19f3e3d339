"""What is said of words that stand in question tables in two spellings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from latentvqa.core.audit.rules import AuditFinding
from latentvqa.core.figures import counted

_SHOWN_WORDS = 3


def judge_spellings(
    words: Mapping[str, Sequence[tuple[str, str]]],
) -> list[AuditFinding]:
    """Findings on words that stand in the tables in two spellings.

    Args:
        words: by language, each word as it is spelt otherwise and as it is here.
    """
    found = []
    for language, pairs in words.items():
        shown = ", ".join(f"{other} and {here}" for other, here in pairs[:_SHOWN_WORDS])
        more = ", ..." if len(pairs) > _SHOWN_WORDS else ""
        found.append(
            AuditFinding(
                "DA017",
                "warning",
                f"{counted(len(pairs), 'word')} in two spellings ({shown}{more}), taken as "
                "different words and different answers.",
                f'Set text.language = "{language}", and each is one.',
                len(pairs),
            )
        )
    return found
