"""Which questions come first (a curriculum, Bengio et al. 2009, ICML).

In a mixture the gradients of one question type can cancel what another teaches;
types that are learnt alone and first keep what they know when the rest arrives.
"""

from __future__ import annotations

import numpy as np

from latentvqa.config import Data
from latentvqa.data.tables import QuestionTable
from latentvqa.errors import DataError


def first_rows(data: Data, table: QuestionTable) -> np.ndarray:
    """Rows of the types that the first epochs ask, ``(rows,)``; all rows without such types.

    Raises:
        DataError: if the table has no types, or not the named ones.
    """
    if not data.first_types:
        return np.arange(len(table))
    if table.types is None:
        raise DataError(
            f"data.first_types: {table.path} has no type column. Name it in data.columns, or leave "
            "first_types empty."
        )
    known = sorted(set(table.types))
    if missing := [name for name in data.first_types if name not in known]:
        raise DataError(
            f"data.first_types: no question of the type {', '.join(map(repr, missing))} in "
            f"{table.path}. It has {', '.join(map(repr, known))}."
        )
    return np.flatnonzero(np.isin(table.types, data.first_types))
