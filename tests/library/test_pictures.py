"""Whatever stands for a picture gives the image of its file."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import latentvqa
from latentvqa.data.decoding import decode_image
from latentvqa.library.pictures import image_of

MOST = 10_000


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "one.png"
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def stand_ins(path):
    content = path.read_bytes()
    with Image.open(BytesIO(content)) as opened:
        opened.load()
    pixels = np.asarray(opened)
    tensor = torch.from_numpy(pixels.copy())
    return {
        "path": path,
        "text": str(path),
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "image": opened,
        "array": pixels,
        "shares": pixels / 255,
        "tensor, channels last": tensor,
        "tensor, channels first": tensor.permute(2, 0, 1),
        "tensor of shares": tensor.permute(2, 0, 1) / 255,
        "half precision": (tensor.permute(2, 0, 1) / 255).half(),
        "wants a gradient": (tensor / 255).requires_grad_(),
    }


def test_the_pixels_are_those_of_the_file_whatever_stands_for_it(path):
    expected = np.asarray(decode_image(path))
    for name, one in stand_ins(path).items():
        found = image_of(one, max_pixels=MOST)
        assert found.mode == "RGB", name
        np.testing.assert_array_equal(np.asarray(found), expected, err_msg=name)


def test_grey_and_brain_floats_are_read_too(path):
    grey = np.asarray(decode_image(path).convert("L"))
    for one in (
        grey,
        torch.from_numpy(grey.copy()),
        torch.from_numpy(grey.copy())[None],
        torch.from_numpy(grey.copy())[..., None],
    ):
        found = np.asarray(image_of(one, max_pixels=MOST))
        np.testing.assert_array_equal(found, np.repeat(grey[..., None], 3, axis=2))
    rough = image_of((torch.from_numpy(grey.copy()) / 255).bfloat16(), max_pixels=MOST)
    assert np.abs(np.asarray(rough)[..., 0].astype(int) - grey).max() <= 1


def test_bytes_are_turned_and_laid_on_white_as_their_file_is(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 255, (6, 8, 4), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, picture in (
        ("clear.png", Image.fromarray(pixels)),
        ("turned.jpg", Image.fromarray(pixels[..., :3])),
        ("deep.png", Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)),
    ):
        file = tmp_path / name
        picture.save(file, exif=exif)
        found = np.asarray(image_of(file.read_bytes(), max_pixels=MOST))
        np.testing.assert_array_equal(found, np.asarray(decode_image(file)))


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Path("absent.png"), "absent.png: no such file"),
        (b"", "0 bytes: not an image"),
        (b"GIF89a" + bytes(20), "26 bytes: cannot be decoded"),
        (torch.zeros(3, 8, 3, dtype=torch.uint8), "either side could be the channels"),
        (torch.zeros(8, 8, 8, dtype=torch.uint8), "neither side has 1, 3 or 4 channels"),
        (torch.zeros(1, 3, 8, 8), "It holds several pictures: give them one by one"),
        (torch.full((3, 8, 8), 200.0), "divide them by their largest"),
        (torch.zeros(3, 8, 8, dtype=torch.int64), "type int64: expected uint8"),
        (np.zeros((3, 8, 8), np.uint8), "Channels come last"),
        (np.zeros((101, 100, 3), np.uint8), "more than 10,000"),
        (7, "type int: expected a path"),
        (None, "type NoneType: expected a path"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(picture, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(latentvqa.DataError, match=words):
        image_of(picture, max_pixels=MOST)
