"""How finely a log prints its columns, so that 0.00 is read as below 0.005."""

from __future__ import annotations

from typing import Any

ROWS_LOOKED_AT = 2000
EXACT = 99  # decimals of a value that is printed with an exponent


class Precision:
    """The decimals that each column shows.

    A column of text with as many decimals in every cell is printed in a fixed format
    of its own. Columns whose trailing zeros are dropped, or which show whole numbers
    as 80.0, and numbers in JSON share the decimals of the finest column.
    """

    def __init__(self) -> None:
        self._decimals: dict[str, int] = {}
        self._fewest: dict[str, int] = {}
        self._fractions: set[str] = set()  # columns that are zero, or not whole, somewhere

    def add(self, column: str, value: Any) -> None:
        """Look at one cell."""
        if isinstance(value, float):
            text = repr(value)
            self._fewest[column] = -1
        elif isinstance(value, str):
            text = value.strip().lower()
        else:
            return
        mantissa, exponent, _ = text.partition("e")
        is_zero = not mantissa.strip("+-.0")
        decimals = EXACT if exponent and not is_zero else len(mantissa.partition(".")[2])
        if decimals > self._decimals.get(column, -1):
            self._decimals[column] = decimals
        fraction = mantissa.partition(".")[2]
        if is_zero or fraction.strip("0"):
            self._fractions.add(column)
        if decimals < self._fewest.get(column, EXACT + 1):
            self._fewest[column] = decimals

    def half_unit(self, column: str) -> float:
        """Half a unit of the last decimal: the most by which a value is rounded."""
        decimals = self._decimals.get(column, 0)
        is_whole = decimals == 1 and column not in self._fractions
        if is_whole or self._fewest.get(column, 0) != decimals:
            decimals = max(self._decimals.values(), default=0)
        return 0.5 * 10.0**-decimals
