"""The pixels of a PNG file, checked, without the metadata around them.

PNG has a checksum for each chunk. Pillow does not look at those of the pixels,
and refuses a whole picture for a text that is large or damaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress

from latentvqa.data.formats.orientation import orientation_in

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME = 12  # bytes of a chunk around its content: length, type, checksum
_DRAWN = (b"IHDR", b"PLTE", b"tRNS")  # besides IDAT, what pixels depend on
_MOST_TEXT = 2**20  # bytes of a text that may hold an orientation
_XMP = b"XML:com.adobe.xmp"
_RAW_EXIF = b"Raw profile type exif"


def png_pixels(data: bytes) -> tuple[bytes, int]:
    """Return a PNG file of the pixels alone, and the orientation.

    Raises:
        ValueError: if the file is cut short or a checksum of the pixels is wrong.
    """
    kept, pixels, exif, xmp = [_SIGNATURE], [], None, None
    for name, content, is_sound in _chunks(data):
        if name in (*_DRAWN, b"IDAT") and not is_sound:
            raise ValueError(f"the checksum of its {name.decode()} chunk is wrong: it is damaged")
        if name == b"IDAT":
            pixels.append(content)
        elif name in _DRAWN and not pixels:
            kept.append(_chunk(name, content))
        elif name == b"eXIf" and is_sound:
            exif = bytes(content)
        elif name in (b"iTXt", b"zTXt", b"tEXt") and len(content) <= _MOST_TEXT:
            key, text = _text(name, bytes(content))
            exif = exif or (_raw_exif(text) if key == _RAW_EXIF else None)
            xmp = text if key == _XMP else xmp
    # Pillow takes the end of the stream for the end of the picture, however many rows there
    # were. Without the last byte of its checksum there is no such end, and it misses the rows.
    stream = b"".join(pixels)[:-1]
    kept += [_chunk(b"IDAT", stream), _chunk(b"IEND", b"")]
    return b"".join(kept), orientation_in(exif, xmp)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    """Type, content and whether its checksum holds, of each chunk up to the last."""
    view, place = memoryview(data), len(_SIGNATURE)
    while place + _FRAME <= len(data):
        length = int.from_bytes(view[place : place + 4], "big")
        end = place + _FRAME + length
        if end > len(data):
            break
        name = bytes(view[place + 4 : place + 8])
        checksum = int.from_bytes(view[end - 4 : end], "big")
        is_sound = zlib.crc32(view[place + 4 : end - 4]) == checksum
        yield name, view[place + 8 : end - 4], is_sound
        if name == b"IEND":
            return
        place = end
    raise ValueError("it is cut short: its last chunk is missing")


def _chunk(name: bytes, content: bytes | memoryview) -> bytes:
    body = name + bytes(content)
    return b"".join([len(content).to_bytes(4, "big"), body, zlib.crc32(body).to_bytes(4, "big")])


def _text(name: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Keyword and text; empty where the text cannot be read."""
    key, _, rest = content.partition(b"\0")
    is_packed = name == b"zTXt"
    if name == b"iTXt":
        is_packed = rest[:1] == b"\1"
        rest = rest[2:].split(b"\0", 2)[-1]
    elif is_packed:
        rest = rest[1:]
    if is_packed and key in (_XMP, _RAW_EXIF):
        unpacked = b""
        with suppress(zlib.error):
            unpacked = zlib.decompressobj().decompress(rest, _MOST_TEXT)
        rest = unpacked
    return key, rest


def _raw_exif(text: bytes) -> bytes | None:
    """EXIF as ImageMagick writes it into a text: three lines, then hexadecimal digits."""
    with suppress(ValueError):
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    return None
