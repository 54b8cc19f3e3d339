"""The types of a record's values: what strict JSON makes of them, and what is taken back.

Strict JSON has no NaN and no infinity, so those floats travel as the strings
``"NaN"``, ``"Infinity"`` and ``"-Infinity"``. A value of another type than the
declared one is refused, never converted by guessing: neither true for 1, nor
"0.5" for 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    Strict,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

SAFE_INTEGER = 2**53  # what every JSON reader holds exactly

_TOKENS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(value: Any) -> Any:
    """Values that strict JSON can hold: tokens for NaN and infinities, text for the rest."""
    if isinstance(value, float) and not math.isfinite(value):
        return next(token for token, meant in _TOKENS.items() if str(meant) == str(value))
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, Iterable) else str(value)


def _require_number(value: Any) -> Any:
    if isinstance(value, float):
        return value
    if isinstance(value, str) and value in _TOKENS:
        return _TOKENS[value]
    return float(_require_integer(value))


def _require_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")  # noqa: TRY004 (pydantic lets a TypeError through)
    if not abs(value) <= SAFE_INTEGER or not float(value).is_integer():
        raise ValueError("not an integer that JSON readers hold exactly")
    return int(value)


def _without_surrogates(value: Any) -> Any:
    """Text without lone surrogates, which no terminal and no file can take."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _take_numbers(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    # most of a log are histograms, whose numbers need no check one by one
    if isinstance(value, list) and set(map(type, value)) == {float}:
        return tuple(value)
    return check(_require_list(value))


def _take_integers(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    is_plain = isinstance(value, list) and set(map(type, value)) == {int}
    if is_plain and max(map(abs, value)) <= SAFE_INTEGER:
        return tuple(value)
    return check(_require_list(value))


def _require_list(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise ValueError("not a list")  # noqa: TRY004
    return value


Number = Annotated[float, BeforeValidator(_require_number), PlainSerializer(to_json)]
Integer = Annotated[int, BeforeValidator(_require_integer)]
Text = Annotated[str, BeforeValidator(_without_surrogates), Strict()]
Flag = Annotated[bool, Strict()]
Free = Annotated[Any, PlainSerializer(to_json)]  # of any type, as it was written

Numbers = Annotated[tuple[Number, ...], WrapValidator(_take_numbers), PlainSerializer(to_json)]
Integers = Annotated[tuple[Integer, ...], WrapValidator(_take_integers)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_require_list)]
NumberByName = Mapping[Text, Number]
FlagByName = Mapping[Text, Flag]
TextByName = Mapping[Text, Text]
FreeByName = Mapping[Text, Free]
