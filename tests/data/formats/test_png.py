import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from latentvqa.data.formats.png import png_pixels
from tests.data.hostile_images import png_chunk, png_with_fewer_rows

PIXELS = np.random.default_rng(0).integers(0, 255, (9, 7, 3), dtype=np.uint8)


def png(pixels=PIXELS, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def decoded(content):
    with Image.open(io.BytesIO(png_pixels(content)[0])) as image:
        return np.asarray(image)


def with_chunk(content, chunk):
    """A chunk between the header, which is 33 bytes long with the signature, and the pixels."""
    return content[:33] + chunk + content[33:]


def interlaced(pixels):
    """Adam7, with a filter byte before each row; Pillow reads such files and writes none."""
    height, width, _ = pixels.shape
    steps = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
    rows = [
        b"\0" + row.tobytes()
        for top, left, down, right in [*steps, (1, 0, 2, 1)]
        for row in pixels[top::down, left::right]
        if row.size
    ]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("colour", [PIXELS, PIXELS * 0, PIXELS[:1], PIXELS[:, :1]])
def test_the_pixels_stay_what_they_are(colour, level):
    assert np.array_equal(decoded(png(colour, compress_level=level)), colour)


def test_pixels_in_many_chunks_and_interlaced_ones_stay_what_they_are():
    content = png()
    (length,) = struct.unpack(">I", content[33:37])
    body, rest = content[41 : 41 + length], content[45 + length :]
    split = b"".join(png_chunk(b"IDAT", body[place : place + 5]) for place in range(0, length, 5))
    assert np.array_equal(decoded(content[:33] + split + rest), PIXELS)
    assert np.array_equal(decoded(interlaced(PIXELS)), PIXELS)


@pytest.mark.parametrize("share", [0, 0.2, 0.5, 0.9])
def test_missing_rows_are_told(share):
    for content in (png(), interlaced(PIXELS)):
        with pytest.raises(OSError, match="truncated"):
            decoded(png_with_fewer_rows(content, share))


def test_every_flipped_bit_of_the_pixels_is_told():
    content = png()
    for place in range(33, len(content) - 12):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        with pytest.raises((OSError, ValueError, SyntaxError)):
            decoded(bytes(flipped))


@pytest.mark.parametrize("missing", [1, 4, 12, 13, 100])
def test_a_cut_file_is_told(missing):
    with pytest.raises(ValueError, match="cut short"):
        png_pixels(png()[:-missing])


def test_damaged_and_large_metadata_are_left_out():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "x" * 2**21, zip=True)
    content = png(pnginfo=texts, exif=b"junk", icc_profile=b"junk" * 100)
    content = with_chunk(content, png_chunk(b"tEXt", b"a\0b")[:-1] + b"?")
    content = with_chunk(content, png_chunk(b"zTXt", b"XML:com.adobe.xmp\0\0junk"))
    content = with_chunk(content, png_chunk(b"zTXt", b"Raw profile type exif\0\0junk"))
    assert np.array_equal(decoded(content), PIXELS)
    assert png_pixels(content)[1] == 1


def test_the_orientation_is_found_wherever_tools_write_it():
    known = Image.Exif()
    known[0x0112] = 6
    raw = known.tobytes()
    lines = f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode()
    xmp = b'tiff:Orientation="6"'
    for chunk in (
        png_chunk(b"eXIf", raw.removeprefix(b"Exif\0\0")),
        png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(lines)),
        png_chunk(b"tEXt", b"Raw profile type exif\0" + lines),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)),
    ):
        content = png()
        for placed in (with_chunk(content, chunk), content[:-12] + chunk + content[-12:]):
            assert png_pixels(placed)[1] == 6
