"""What a reader has to say about a log: in order, each once, never too much."""

from __future__ import annotations

from latentvqa.core.figures import counted

MOST_NOTES = 10
MOST_CHARACTERS = 400


class Notes:
    """Remarks of one reading, kept apart from faults so that faults cannot crowd them out."""

    def __init__(self) -> None:
        self._remarks: list[str] = []
        self._faults: list[str] = []
        self._more_faults = 0

    def add(self, sentence: str) -> None:
        """Say what was assumed, taken or left out."""
        self._remarks.append(_printable(sentence))

    def fault(self, sentence: str) -> None:
        """Say what could not be read; of many, the first few are kept."""
        if len(self._faults) < MOST_NOTES:
            self._faults.append(_printable(sentence))
        else:
            self._more_faults += 1

    @property
    def first_fault(self) -> str:
        """The first fault, or nothing."""
        return self._faults[0] if self._faults else ""

    def sentences(self) -> tuple[str, ...]:
        """All remarks, then as many faults as there is room for."""
        remarks = list(dict.fromkeys(self._remarks))[:MOST_NOTES]
        room = MOST_NOTES - len(remarks)
        faults = list(self._faults)
        more = self._more_faults
        if len(faults) + bool(more) > room:
            room = max(room - 1, 0)
            faults, more = faults[:room], more + len(faults) - room
        rest = f"And {counted(more, 'more fault')} of this kind."
        return (*remarks, *faults, *((rest,) if more else ()))[:MOST_NOTES]


def listed(items: list[str], most: int = 8) -> str:
    """Names for a sentence, cut where there are many."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")


def _printable(sentence: str) -> str:
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in sentence)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 4] + " ..."
