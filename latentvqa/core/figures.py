"""Numbers as a sentence says them."""

from __future__ import annotations

import math


def figure(value: float | None) -> str:
    """A number for a sentence: three significant digits, no exponent where avoidable."""
    if value is None:
        return "?"
    if not math.isfinite(value):
        return str(value)
    magnitude = abs(value)
    if magnitude != 0.0 and not 1e-4 <= magnitude < 1e7:
        return f"{value:.2e}"
    if magnitude >= 100:
        return f"{value:.0f}"
    digits = 2 if magnitude == 0.0 else 2 - math.floor(math.log10(magnitude))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """A number of things, as in 1 row and 2 rows; the noun is that of one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def learnt(gain: float) -> str:
    """What is learnt, for a sentence; a model worse than the answers' frequencies knew nothing."""
    return "nothing is learnt" if gain <= 0.0 else f"{figure(gain)} are learnt"


def percent(share: float | None) -> str:
    """A share for a sentence: at most one decimal, unit included."""
    return "?" if share is None else f"{figure(round(100.0 * share, 1))} %"


def probability(share: float) -> str:
    """A probability for a reader, one decimal always: below one another they compare.

    It is never 0 % or 100 % where it is neither.
    """
    rounded = round(100.0 * share, 1)
    if rounded == 0.0 and share > 0.0:
        return "< 0.1 %"
    if rounded == 100.0 and share < 1.0:
        return "> 99.9 %"
    return f"{rounded:.1f} %"


def points(difference: float, sign: str = "") -> str:
    """A difference of two shares in points, the same whichever way it was reckoned.

    Args:
        difference: as a fraction.
        sign: ``+`` to write the sign of what is above 0 as well.
    """
    # 0.5125 can come out as 0.51249999999999996
    return f"{round(100.0 * difference, 6):{sign}z.1f}"
