"""Pictures in memory are prepared as files are."""

import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from latentvqa.data import decoding
from latentvqa.data.decoding import convert_picture, decode_image, read_image
from latentvqa.errors import DataError


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_an_opened_file_becomes_what_the_file_is_decoded_to(tmp_path, mode):
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 8
    picture = (
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(pixels).convert(mode)
    )
    path = tmp_path / "x.png"
    picture.save(path, exif=exif)
    expected = decode_image(path)
    with Image.open(path) as opened:
        found = convert_picture(opened)
    assert (found.mode, found.size) == ("RGB", (5, 7))
    assert np.array_equal(np.asarray(found), np.asarray(expected))


def test_pixels_become_a_picture_of_the_same_pixels():
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    for view in (pixels, pixels[:, ::-1], np.asfortranarray(pixels)):
        assert np.array_equal(np.asarray(convert_picture(view)), view)


@pytest.mark.parametrize(
    "shape", [(5, 7, 5), (5, 7, 2), (1, 5, 7, 3), (0, 7, 3), (5, 0, 3)], ids=str
)
def test_pixels_of_another_shape_are_refused_with_it(shape):
    with pytest.raises(DataError, match=rf"shape \({', '.join(map(str, shape))}\)"):
        convert_picture(np.zeros(shape, np.uint8))


def test_too_many_pixels_and_cut_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="8 x 8 pixels, more than 63"):
        convert_picture(np.zeros((8, 8, 3), np.uint8), max_pixels=63)
    path = tmp_path / "x.png"
    noise = np.random.default_rng(0).integers(0, 255, (50, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with Image.open(path) as opened, pytest.raises(DataError, match="cannot be decoded"):
        convert_picture(opened)


def test_a_file_that_is_no_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "b.jpg")
    (tmp_path / "c.jpg").symlink_to("none")
    (tmp_path / "d.jpg").mkdir()
    for name, reason in {
        "b.jpg": "is a pipe, not a file",
        "c.jpg": "is a link to a file that is not there",
        "d.jpg": "is a folder, not a file",
        "e.jpg": "no such file",
    }.items():
        with pytest.raises(DataError) as caught:
            decode_image(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {reason}"


def test_the_content_says_what_a_file_is(tmp_path):
    pixels = np.full((4, 4, 3), 90, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.jpg", "PNG")
    assert np.array_equal(np.asarray(decode_image(tmp_path / "x.jpg")), pixels)
    Image.fromarray(pixels).save(tmp_path / "x", "AVIF", quality=100)
    assert abs(np.asarray(decode_image(tmp_path / "x")).astype(int) - 90).max() <= 2
    (tmp_path / "x.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(DataError, match="a HEIC image, which is not read here; save it as JPEG"):
        decode_image(tmp_path / "x.jpg")


@pytest.mark.parametrize(("suffix", "mode"), [("jpg", "RGB"), ("png", "RGBA"), ("png", "I;16")])
def test_a_large_image_is_decoded_smaller_and_looks_the_same(tmp_path, monkeypatch, suffix, mode):
    pixels = np.zeros((64, 48, 4), np.uint8)
    pixels[:32, :, 0], pixels[..., 3], pixels[32:, 24:] = 200, 255, 100
    image = Image.fromarray(pixels)
    image = (
        Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
        if mode == "I;16"
        else image.convert(mode)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / f"x.{suffix}", exif=exif)
    whole = decode_image(tmp_path / f"x.{suffix}")
    monkeypatch.setattr(decoding, "LARGE", 1000)
    monkeypatch.setattr(decoding, "_SMALLEST_SIDE", 24)
    found = read_image(tmp_path / f"x.{suffix}")
    assert (whole.size, found.image.size) == ((64, 48), (32, 24))
    assert (found.mode, found.size) == (mode, (48, 64))
    assert abs(np.asarray(found.image).astype(int) - np.asarray(whole.reduce(2))).max() <= 30


@pytest.mark.parametrize(
    ("size", "factor"),
    [
        ((4000, 6000), 1),
        ((4096, 6000), 2),
        ((4095, 6000), 1),
        ((9400, 9400), 2),
        ((12_000, 14_000), 4),
        ((2000, 80_000), 1),
        ((8192, 20_000), 4),
    ],
)
def test_an_image_is_made_as_much_smaller_as_its_sides_allow(size, factor):
    assert decoding._factor(size) == factor


PEAK = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from latentvqa.data.decoding import decode_image
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(decode_image, [Path(sys.argv[1])] * 4))
print((peak() - before) // 1024)
"""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss in KiB")
def test_four_threads_with_images_of_89_megapixels_stay_within_memory(tmp_path):
    Image.new("RGBA", (9400, 9400), (90, 0, 0, 128)).save(tmp_path / "x.png", compress_level=1)
    result = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "x.png"], capture_output=True, text=True, check=True
    )
    print(f"4 threads, 89 megapixels each: {result.stdout.strip()} MiB")
    assert int(result.stdout) < 800


def test_a_file_with_too_few_strips_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.tif", tiffinfo={278: 16})
    data = bytearray((tmp_path / "x.tif").read_bytes())
    (start,) = struct.unpack("<I", data[4:8])
    for place in range(start + 2, start + 2 + 12 * data[start], 12):
        tag, _, count = struct.unpack("<HHI", data[place : place + 8])
        if tag in (273, 279):  # where the strips are and how long
            assert count == 25
            data[place + 4 : place + 8] = struct.pack("<I", 12)
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(DataError, match="cut short: some of its rows are missing"):
        decode_image(tmp_path / "x.tif")


def test_the_preview_in_a_raw_file_is_not_taken_for_the_photograph(tmp_path):
    for kind in (0, 2):
        Image.new("RGB", (9, 9)).save(tmp_path / "x.tif", tiffinfo={254: kind})
        assert decode_image(tmp_path / "x.tif").size == (9, 9)
    Image.new("RGB", (9, 9)).save(tmp_path / "x.nef", "TIFF", tiffinfo={254: 1})
    with pytest.raises(DataError, match=r"x\.nef: only a preview of an image"):
        decode_image(tmp_path / "x.nef")
