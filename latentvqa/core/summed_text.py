"""JSON objects that end with a sum of their own text, which tells when they are changed.

The last key, ``sum``, holds the first 16 digits of the SHA-256 of all before it.
Reads and writes no files.
"""

from __future__ import annotations

import hashlib
import re

_DIGITS = 16
_ENDING = re.compile(rb',"sum":"([^"]{%d})"\}' % _DIGITS)
_ENDING_LENGTH = len(',"sum":""}') + _DIGITS


def with_sum(text: bytes) -> bytes:
    """A JSON object that is not empty with a sum as its last key."""
    body = text.rstrip().removesuffix(b"}").rstrip()
    return b'%b,"sum":"%b"}' % (body, _sum(body))


def has_right_sum(text: bytes) -> bool | None:
    """Whether the text is what its sum says; None where it has none."""
    text = text.strip()
    body, ending = text[:-_ENDING_LENGTH], text[-_ENDING_LENGTH:]
    found = _ENDING.fullmatch(ending)
    return None if found is None else found[1] == _sum(body)


def _sum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_DIGITS].encode()
