import io
import struct

import numpy as np
import pytest
from PIL import Image

from latentvqa.data.formats.jpeg import jpeg_pixels

PIXELS = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
END = b"\xff\xd9"
KINDS = {
    "baseline": {},
    "colour as fine as light": {"subsampling": 0},
    "restarts": {"restart_marker_blocks": 2},
    "progressive": {"progressive": True},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


def jpeg(mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def decoded(stream):
    with Image.open(io.BytesIO(stream)) as image:
        return np.asarray(image)


def is_told(content):
    """Whether a file is not taken for whole."""
    try:
        first, *others = map(decoded, jpeg_pixels(content).streams)
    except (OSError, ValueError):
        return True
    return any(not np.array_equal(first, other) for other in others)


def segment(code, content):
    return bytes([0xFF, code]) + struct.pack(">H", len(content) + 2) + content


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_whole_file_gives_its_pixels_and_a_cut_one_is_told(mode, kind):
    content = jpeg(mode, **KINDS[kind])
    streams = jpeg_pixels(content).streams
    assert all(np.array_equal(decoded(one), decoded(content)) for one in streams)
    # of less than the last 50 bytes a block of 8 x 8 pixels can lack some
    for kept in range(len(content) // 3, len(content) - 50, 97):
        assert is_told(content[:kept] + END)
        assert is_told(content[:kept])


def test_a_file_without_its_end_is_told():
    for missing in (1, 2, 3):
        with pytest.raises(ValueError, match="no end marker"):
            jpeg_pixels(jpeg()[:-missing])
    with pytest.raises(ValueError, match="no picture"):
        jpeg_pixels(b"\xff\xd8" + END)


def test_missing_scans_are_told():
    content = jpeg(progressive=True)
    scans = [place for place in range(len(content)) if content.startswith(b"\xff\xda", place)]
    for scan in scans[1:]:
        with pytest.raises(ValueError, match="scans are missing"):
            jpeg_pixels(content[:scan] + END)


def test_metadata_and_what_follows_the_picture_are_left_out():
    content = jpeg()
    (alone,) = jpeg_pixels(content).streams
    junk = [(0xE1, b"Exif\0\0" + bytes(99)), (0xE2, b"MPF\0" + END * 99), (0xFE, END * 99)]
    full = content[:2] + b"".join(segment(*one) for one in junk) + content[2:]
    for changed in (full, full + content, content + END):
        assert jpeg_pixels(changed).streams == (alone,)
        assert jpeg_pixels(changed).orientation == 1


def test_the_orientation_is_found_in_exif_and_in_xmp():
    known = Image.Exif()
    known[0x0112] = 6
    assert jpeg_pixels(jpeg(exif=known)).orientation == 6
    xmp = segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="8"/>')
    content = jpeg()
    assert jpeg_pixels(content[:2] + xmp + content[2:]).orientation == 8
