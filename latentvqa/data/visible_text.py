"""Drop the characters of a text that nobody sees, so that equal texts are equal.

Dropped is what Unicode lets a program ignore in display (zero-width spaces, soft
hyphens, byte order marks, marks of direction, fillers) and control characters
other than white space. Such a character stays where it changes what is seen:
joiners inside words of scripts that join (Arabic, Indic, Khmer, Mongolian ...) and
inside emoji, selectors of a variant behind a sign that has variants.
"""

from __future__ import annotations

import re

# Default_Ignorable_Code_Point of Unicode 15, control characters that are no white
# space (\x1c to \x1f are white space to Python alone), annotation anchors
_INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SYMBOL = "©®‼⁉\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# letters and marks of the scripts in which a joiner changes the shape of a letter
_JOINING = (
    "\u0620-\u0669\u066e-\u06dc\u06df-\u07ff\u0840-\u089f\u0900-\u0dff\u0f00-\u109f\u1700-\u17b3"
    "\u17b6-\u17ff\u1820-\u18aa\u1900-\u1c7f\ua840-\uabff\U00010a00-\U00011fff\U0001e900-\U0001e95f"
)
_VIRAMA = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2"
_MONGOLIAN = "\u1820-\u18aa"

_KEPT = (
    # a flag of a region, spelt in tags
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f",
    # one emoji of several, with the selector of the first
    f"(?<=[{_SYMBOL}])\ufe0f?\u200d(?=[{_SYMBOL}])",
    f"(?<=[{_SYMBOL}])[\ufe00-\ufe0f]",
    "(?<=[0-9#*])\ufe0f(?=\u20e3)",
    f"(?<=[{_HAN}])(?:[\ufe00-\ufe0f]|[\U000e0100-\U000e01ef])",
    "(?<=[\u1000-\u109f\uaa60-\uaa7f])\ufe00",
    f"(?<=[{_MONGOLIAN}])[\u180b-\u180d\u180f]",
    f"(?<=[{_MONGOLIAN}])\u180e(?=[{_MONGOLIAN}])",
    f"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])",
    f"(?<=[{_VIRAMA}])\u200d",
    "\u115f(?=[\u1160-\u11a7])|(?<=[\u1100-\u115f])\u1160",
)
_PATTERN = re.compile(f"({'|'.join(_KEPT)})|[{_INVISIBLE}]")


def visible_text(text: str) -> str:
    """Return the text without the characters that nobody sees."""
    if text.isprintable() and text.isascii():
        return text
    return _PATTERN.sub(lambda found: found[1] or "", text)
