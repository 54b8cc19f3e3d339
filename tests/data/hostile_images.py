"""Image files as they come from cameras, tools and broken disks, each with what must become of it.

Formats, modes, metadata and damages are drawn from a seed. What must come out is known
without the code under test: the pixels that were drawn or, for lossy formats, what
Pillow decodes of the file before anything was added to it or taken away.
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

JUNK = bytes(range(256)) * 3


@dataclass(frozen=True)
class HostileImage:
    """A file, and the pixels that must come out of it; None where it must be refused."""

    name: str
    content: bytes
    expected: np.ndarray | None


def hostile_images(count, seed=0):
    """Yield so many files, the same for the same seed, one after the other."""
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        kind = sorted(KINDS)[number % len(KINDS)]
        image, options = drawn(generator, kind)
        content = saved(image, kind.split()[0], **options)
        what, is_refused, change = DAMAGES[(number + number // len(KINDS)) % len(DAMAGES)]
        changed = change(kind.split()[0], content, generator)
        if changed is None:  # this format has no such thing
            what, change = ("cut", cut) if is_refused else ("as it was saved", unchanged)
            changed = change(kind.split()[0], content, generator)
        expected = None if is_refused else expected_pixels(image, kind, content)
        yield HostileImage(f"{number} {kind} {what}", changed, expected)


KINDS = {
    "AVIF RGB": {},
    "BMP 1": {},
    "BMP L": {},
    "BMP P": {},
    "BMP RGB": {},
    "GIF L": {},
    "GIF P": {},
    "JPEG CMYK": {},
    "JPEG L": {},
    "JPEG RGB": {},
    "JPEG RGB progressive": {"progressive": True},
    "JPEG RGB restarts": {"restart_marker_blocks": 3},
    "JPEG RGB whole colour": {"subsampling": 0, "quality": 95},
    "PNG 1": {},
    "PNG I;16": {},
    "PNG L": {},
    "PNG LA": {},
    "PNG P": {},
    "PNG RGB": {},
    "PNG RGBA": {},
    "TIFF 1 group4": {"compression": "group4"},
    "TIFF CMYK": {},
    "TIFF F": {},
    "TIFF I": {},
    "TIFF I;16": {},
    "TIFF L packbits": {"compression": "packbits"},
    "TIFF RGB": {},
    "TIFF RGB deflate": {"compression": "tiff_adobe_deflate"},
    "TIFF RGB jpeg": {"compression": "jpeg"},
    "TIFF RGB lzw": {"compression": "tiff_lzw"},
    "TIFF RGBA": {},
    "WEBP RGB": {},
    "WEBP RGBA lossless": {"lossless": True, "exact": True},
}


def drawn(generator, kind):
    """A picture with edges and noise that reaches every corner, and how to save it."""
    mode = kind.split()[1]
    width, height = (int(side) for side in generator.integers(24, 80, 2))
    pixels = generator.integers(0, 200, (height, width, 4), dtype=np.uint8)
    pixels[:, : width // 2] //= 3
    pixels[0, 0], pixels[-1, -1] = 0, 255
    if mode == "I;16":
        image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(pixels[..., 0].astype(np.int32) * 1000)
    elif mode == "F":
        image = Image.fromarray(pixels[..., 0].astype(np.float32) / 255)
    elif mode in ("P", "CMYK"):
        image = Image.fromarray(pixels[..., :3]).convert(mode)
    else:
        image = Image.fromarray(pixels).convert(mode)
    return image, KINDS[kind]


def saved(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def expected_pixels(image, kind, content):
    if "jpeg" in kind or kind.startswith(("JPEG", "AVIF")) or kind == "WEBP RGB":
        with Image.open(io.BytesIO(content)) as opened:
            return np.asarray(opened.convert("RGB"))
    levels = np.asarray(image)
    if image.mode in ("I;16", "I", "F"):
        largest = {"I;16": 65_535, "I": 255_000, "F": 1}[image.mode]
        grey = np.rint(levels / np.float64(largest) * 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("LA", "RGBA"):
        colour, alpha = levels[..., :-1].astype(int), levels[..., -1:].astype(int)
        on_white = np.rint((colour * alpha + 255 * (255 - alpha)) / 255).astype(np.uint8)
        return np.broadcast_to(on_white, (*on_white.shape[:2], 3))
    return np.asarray(image.convert("RGB"))


def unchanged(file_format, content, generator):
    return content


def cut(file_format, content, generator):
    return content[: int(len(content) * generator.uniform(0.1, 0.9))]


def junk_metadata(file_format, content, generator):
    """Metadata of every sort that the format has, none of which can be read."""
    if file_format == "PNG":
        texts = [
            png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(8 * 2**20))),
            png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + JUNK),
            png_chunk(b"eXIf", JUNK),
            png_chunk(b"iCCP", b"profile\0\0" + JUNK),
            png_chunk(b"tEXt", b"Comment\0" + b"x" * 2**20)[:-1] + b"?",
        ]
        return content[:33] + b"".join(texts) + content[33:]
    if file_format == "JPEG":
        segments = [(0xE1, b"Exif\0\0" + JUNK), (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")]
        segments += [(0xE2, b"MPF\0" + JUNK), (0xE2, b"ICC_PROFILE\0\1\1" + JUNK)]
        segments += [(0xED, b"Photoshop 3.0\0" + JUNK), (0xFE, b"\xff\xd9" * 30_000)]
        joined = [bytes([0xFF, code]) + struct.pack(">H", len(b) + 2) + b for code, b in segments]
        return content[:2] + b"".join(joined) + content[2:] + JUNK
    if file_format == "WEBP":
        with Image.open(io.BytesIO(content)) as image:
            flags = 0x08 | 0x04 | 0x20 | (0x10 if image.mode == "RGBA" else 0)
            sides = b"".join(struct.pack("<I", side - 1)[:3] for side in image.size)
        header = riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)
        body = b"WEBP" + header + riff_chunk(b"ICCP", JUNK) + content[12:]
        body += riff_chunk(b"EXIF", JUNK) + riff_chunk(b"XMP ", JUNK)
        return riff_chunk(b"RIFF", body)
    if file_format == "GIF":
        comment = b"".join(bytes([255]) + JUNK[:255] for _ in range(1000))
        place = 13 + 3 * 2 ** ((content[10] & 7) + 1) * (content[10] >> 7)
        return content[:place] + b"\x21\xfe" + comment + b"\0" + content[place:]
    return None


def turned_by_xmp_in_junk(file_format, content, generator):
    """An orientation that is no number from 1 to 8 turns nothing."""
    if file_format not in ("PNG", "JPEG"):
        return None
    text = b'<x tiff:Orientation="9"/>'
    if file_format == "PNG":
        return (
            content[:33] + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text) + content[33:]
        )
    body = b"http://ns.adobe.com/xap/1.0/\0" + text
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + content[2:]


def wrong_bit(file_format, content, generator):
    """A flipped bit, in the formats that have a checksum for their pixels."""
    if file_format != "PNG":
        return None
    start = content.index(b"IDAT") - 4
    end = content.rindex(b"IEND") - 4
    flipped = bytearray(content)
    flipped[int(generator.integers(start, end))] ^= 1 << int(generator.integers(8))
    return bytes(flipped)


def fewer_rows(file_format, content, generator):
    """A file that ends as it should after a part of its rows."""
    share = generator.uniform(0.1, 0.9)
    if file_format == "PNG":
        return png_with_fewer_rows(content, share)
    if file_format == "JPEG":
        start = content.index(b"\xff\xda")
        return content[: start + 14 + int((len(content) - start - 40) * share)] + b"\xff\xd9"
    if file_format == "GIF":
        return gif_with_fewer_blocks(content)
    if file_format == "WEBP":
        kept = content[12 : 20 + int((len(content) - 20) * share) // 2 * 2]
        inner = kept[:4] + struct.pack("<I", len(kept) - 8) + kept[8:]
        return riff_chunk(b"RIFF", b"WEBP" + inner)
    return None


def zeros_at_the_end(file_format, content, generator):
    """What a disk leaves of a file that was being written when the power went."""
    if file_format not in ("PNG", "JPEG", "GIF"):
        return None
    kept = int(len(content) * generator.uniform(0.3, 0.9))
    return content[:kept] + bytes(len(content) - kept)


def something_else(file_format, content, generator):
    others = (
        b"",
        bytes(1000),
        b"<!doctype html><title>404</title>",
        JUNK,
        b"BM",
        b"II*\0",
        b"GIF89a",
    )
    return others[int(generator.integers(len(others)))]


def far_too_large(file_format, content, generator):
    if file_format == "PNG":
        header = struct.pack(">II", 50_000, 50_000) + content[24:29]
        return content[:8] + png_chunk(b"IHDR", header) + content[33:]
    if file_format == "BMP":
        return content[:18] + struct.pack("<ii", 50_000, 50_000) + content[26:]
    if file_format == "GIF":
        return content[:6] + struct.pack("<HH", 65_535, 65_535) + content[10:]
    return None


DAMAGES = (
    ("as it was saved", False, unchanged),
    ("cut", True, cut),
    ("with junk for metadata", False, junk_metadata),
    ("with fewer rows", True, fewer_rows),
    ("with an impossible orientation", False, turned_by_xmp_in_junk),
    ("with a wrong bit", True, wrong_bit),
    ("with zeros at its end", True, zeros_at_the_end),
    ("something else", True, something_else),
    ("far too large", True, far_too_large),
)


def png_chunk(name, content):
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def riff_chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def png_with_fewer_rows(content, share):
    height = struct.unpack(">I", content[20:24])[0]
    place, rows, kept = 8, b"", []
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        name, body = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        if name == b"IDAT":
            rows += body
        elif name != b"IEND":
            kept.append(png_chunk(name, body))
        place += 12 + length
    pixels = zlib.decompress(rows)
    packed = zlib.compress(pixels[: len(pixels) // height * int(height * share)])
    return content[:8] + b"".join([*kept, png_chunk(b"IDAT", packed), png_chunk(b"IEND", b"")])


def gif_with_fewer_blocks(content):
    place = 13 + 3 * 2 ** ((content[10] & 7) + 1) * (content[10] >> 7)
    while content[place] == 0x21:  # an extension
        place += 2
        while content[place]:
            place += 1 + content[place]
        place += 1
    place += 10 + (3 * 2 ** ((content[place + 9] & 7) + 1) if content[place + 9] & 0x80 else 0) + 1
    blocks, start = [], place
    while content[place]:
        blocks.append(content[place : place + 1 + content[place]])
        place += 1 + content[place]
    return content[:start] + b"".join(blocks[: len(blocks) // 2]) + b"\0;"
