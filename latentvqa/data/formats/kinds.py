"""Tell the format of an image by its first bytes, whatever its name says."""

from __future__ import annotations

from dataclasses import dataclass

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif"),
    *(".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif"),
)
"""Of names that can be completed; images of the last two are refused with advice."""
PICTURE_SUFFIXES = (
    *SUFFIXES,
    *(".apng", ".cr2", ".dib", ".dng", ".hif", ".ico", ".j2k", ".jp2", ".jxl", ".nef", ".pbm"),
    *(".pcx", ".pgm", ".pnm", ".ppm", ".psd", ".raw", ".svg", ".tga"),
)
"""Of files that claim to be pictures: each is answered or named with its error."""
HEAD_BYTES = 64

_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
_FOREIGN = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "Photoshop",
}
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # lengths of all its versions
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


@dataclass(frozen=True)
class Kind:
    """What the first bytes of a file say.

    Attributes:
        name: of the format.
        is_read: whether images of it are decoded.
    """

    name: str
    is_read: bool


def kind_of(head: bytes) -> Kind | None:
    """Return the format of a file, or None if it is no known image.

    Args:
        head: its first ``HEAD_BYTES`` bytes, or all it has.
    """
    for signature, name in _SIGNATURES.items():
        if head.startswith(signature):
            return Kind(name, is_read=True)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind("WEBP", is_read=True)
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return Kind("BMP", is_read=True)
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    for signature, name in _FOREIGN.items():
        if head.startswith(signature):
            return Kind(name, is_read=False)
    return None


def _by_brand(head: bytes) -> Kind | None:
    """AVIF and HEIC share a container, and may name either the one or the container first."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, length, 4))]
    if any(brand in (b"avif", b"avis") for brand in brands):
        return Kind("AVIF", is_read=True)
    if any(brand in _HEIC_BRANDS for brand in brands):
        return Kind("HEIC", is_read=False)
    return None
