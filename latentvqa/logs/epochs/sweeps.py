"""Tables whose rows are runs, which have no course in time."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.logs.columns.mapping import Columns
from latentvqa.logs.columns.words import word_set, words_of
from latentvqa.logs.numbers import is_missing
from latentvqa.logs.readers.rows import HEADING, Row

_RUN_WORDS = word_set("run trial experiment exp sweep job config name")
_ID_WORDS = word_set("id ids name number no idx index")
_FEWEST_ROWS = 2


def run_column(rows: Sequence[Row], columns: Columns, *, is_placed: bool) -> str | None:
    """The column that names another run in every row, or None.

    Args:
        rows: the first rows of the log.
        columns: its columns, as far as they are known.
        is_placed: whether rows name an epoch or a step, so that more of them must agree.
    """
    whole = [row for row in rows if row is not HEADING]
    if len(whole) < _FEWEST_ROWS + is_placed:
        return None
    for name in whole[0]:
        words = words_of(name)
        if not words or not set(words) <= _RUN_WORDS | _ID_WORDS or not set(words) & _RUN_WORDS:
            continue
        if columns.meaning(name) is not None:
            continue
        cells = [str(row.get(name, "")) for row in whole]
        if not any(map(is_missing, cells)) and len(set(cells)) == len(cells):
            return name
    return None
