"""The pixels of a JPEG file, made so that a decoder tells when some are missing.

libjpeg fills what a cut file lacks with grey and goes on, as long as an end
marker follows; Pillow does not pass its warning on. So the end marker is taken
away: bits that stand for no code take its place, and whoever still needs bits
there gets stuck. A file of several scans is decoded twice instead, with other
bits after each scan: pixels that differ were made of bits that are not there.
JPEG has no checksum: a changed bit within the pixels cannot be told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from latentvqa.data.formats.orientation import orientation_in

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_EXIF_SEGMENT = 0xE1
_BARE = (0x01, *range(0xD0, 0xD8))  # markers without content
_METADATA = (*range(0xE1, 0xEE), 0xEF, 0xFE)  # but JFIF and Adobe, which say how colours are kept
_FRAMES = (0xC0, 0xC1, 0xC2)  # sequential and progressive, in Huffman codes
_PROGRESSIVE = 0xC2
_ANY_FRAME = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_NO_CODE = b"\xff\x00" * 8  # all ones, which is no Huffman code
_PADDINGS = (b"\x5a\x96\x0f\x33" * 16, b"\xa4\x1b\xe1\xc8" * 16)
_COEFFICIENTS = 64
_MARKER = b"\xff"


@dataclass(frozen=True)
class JpegPixels:
    """What to decode.

    Attributes:
        streams: files of the pixels alone; if there are two, both must give the same.
        orientation: 1 to 8.
    """

    streams: tuple[bytes, ...]
    orientation: int


@dataclass(frozen=True)
class _Segment:
    """A marker, its content, and the coded data after it (of a scan)."""

    code: int
    content: bytes
    coded: bytes = b""


def jpeg_pixels(data: bytes) -> JpegPixels:
    """Return what to decode of a JPEG file; what follows its first image is left out.

    Raises:
        ValueError: if the file has no end marker, no picture, or too few scans.
    """
    segments = _segments(data)
    exif = xmp = None
    for one in segments:
        if one.code == _EXIF_SEGMENT and one.content.startswith(b"Exif\0"):
            exif = exif or one.content
        elif one.code == _EXIF_SEGMENT and b"ns.adobe.com/xap" in one.content[:64]:
            xmp = xmp or one.content
    drawn = [one for one in segments if one.code not in _METADATA]
    return JpegPixels(_streams(drawn), orientation_in(exif, xmp))


def _segments(data: bytes) -> list[_Segment]:
    found: list[_Segment] = []
    place = 2
    while match := _NEXT_MARKER.search(data, place):
        code, place = match[0][1], match.end()
        if code == _END:
            return found
        if code in _BARE or code == _START:
            continue
        end = place + int.from_bytes(data[place : place + 2], "big")
        if end > len(data) or end < place + 2:
            break
        content, place = data[place + 2 : end], end
        coded = b""
        if code == _SCAN and (after := _NEXT_MARKER.search(data, place)):
            coded, place = data[place : after.start()], after.start()
        found.append(_Segment(code, content, coded))
    raise ValueError("it is cut short: it has no end marker")


def _streams(segments: list[_Segment]) -> tuple[bytes, ...]:
    frames = [one for one in segments if one.code in _ANY_FRAME]
    scans = [one for one in segments if one.code == _SCAN]
    if not frames or not scans:
        raise ValueError("there is no picture in it")
    frame = frames[0]
    if frame.code not in _FRAMES:  # arithmetic codes may end before their last bits
        return (_stream(segments, b"", is_ended=True),)
    components = _components(frame)
    if frame.code != _PROGRESSIVE and len(_components_of(scans[0])) == len(components):
        last = segments.index(scans[0])
        return (_stream(segments[: last + 1], _NO_CODE, is_ended=False),)
    _check_scans(frame, components, scans)
    return tuple(_stream(segments, padding, is_ended=True) for padding in _PADDINGS)


def _stream(segments: list[_Segment], padding: bytes, *, is_ended: bool) -> bytes:
    parts = [bytes([0xFF, _START])]
    for one in segments:
        length = (len(one.content) + 2).to_bytes(2, "big")
        parts += [_MARKER, bytes([one.code]), length, one.content]
        if one.code == _SCAN:
            parts += [one.coded, padding]
    return b"".join([*parts, bytes([0xFF, _END]) if is_ended else b""])


def _components(frame: _Segment) -> bytes:
    """Numbers of the components of a frame."""
    return frame.content[6 : 6 + 3 * frame.content[5] : 3] if len(frame.content) > 5 else b""


def _components_of(scan: _Segment) -> bytes:
    """Numbers of the components that a scan holds."""
    return scan.content[1 : 1 + 2 * scan.content[0] : 2] if scan.content else b""


def _check_scans(frame: _Segment, components: bytes, scans: list[_Segment]) -> None:
    """Refuse a file whose scans leave some coefficient out, or some of its bits."""
    is_whole = {number: [False] * _COEFFICIENTS for number in components}
    for scan in scans:
        first, last, low = 0, _COEFFICIENTS - 1, 0
        if frame.code == _PROGRESSIVE and len(scan.content) >= 3:
            first, last, low = scan.content[-3], scan.content[-2], scan.content[-1] & 15
        for number in _components_of(scan):
            for place in range(first, min(last, _COEFFICIENTS - 1) + 1):
                is_whole.get(number, [False] * _COEFFICIENTS)[place] = low == 0
    if not all(all(known) for known in is_whole.values()):
        raise ValueError("it is cut short: some of its scans are missing")
