from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from latentvqa.data.images import (
    ImageFault,
    ImageStore,
    ImageTransform,
    bad_image_message,
    check_images,
    decode_image,
    drop_images,
)
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.errors import DataError

RED, GREEN = (255, 0, 0), (0, 255, 0)


def two_halves(size: int = 8) -> Image.Image:
    """Red above, green below."""
    image = Image.new("RGB", (size, size), RED)
    image.paste(GREEN, (0, size // 2, size, size))
    return image


def pixel(path: Path, x: int = 0, y: int = 0) -> tuple[int, ...]:
    image = decode_image(path)
    assert image.mode == "RGB"
    value = image.getpixel((x, y))
    assert isinstance(value, tuple)
    return value


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_the_exif_orientation_is_undone(tmp_path: Path, orientation: int, suffix: str) -> None:
    stored = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    image = two_halves(32)
    image.paste((0, 0, 255), (0, 0, 16, 16))  # one corner tells a turn from a mirror
    for step in stored:
        image = image.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"x.{suffix}"
    image.save(path, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    upright = decode_image(path)
    for place, expected in {(4, 4): (0, 0, 255), (28, 4): RED, (4, 28): GREEN}.items():
        assert np.allclose(upright.getpixel(place), expected, atol=40)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "RGBA", "LA", "I;16", "I"])
def test_every_mode_becomes_rgb_of_the_right_brightness(tmp_path: Path, mode: str) -> None:
    grey = Image.new("L", (4, 4), 255)
    if mode in ("I;16", "I"):
        levels = np.full((4, 4), 65_535, np.uint16)
        image = Image.fromarray(levels if mode == "I;16" else levels.astype(np.int32))
    else:
        image = grey.convert("RGB").convert(mode)
    path = tmp_path / "x.tif"
    image.save(path, **({"compression": "tiff_lzw"} if mode == "YCbCr" else {}))
    assert pixel(path) == (255, 255, 255)


def test_ycbcr_without_compression_is_read_from_pillow_13_on_and_refused_before(tmp_path):
    path = tmp_path / "x.tif"
    Image.new("L", (4, 4), 255).convert("RGB").convert("YCbCr").save(path)
    if int(PIL.__version__.partition(".")[0]) >= 13:
        assert pixel(path) == (255, 255, 255)
    else:
        with pytest.raises(DataError, match=r"x\.tif: cannot be decoded: image file is truncated"):
            decode_image(path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_scaled(tmp_path: Path, suffix: str) -> None:
    levels = np.array([[0, 127 * 257, 65_535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / f"x.{suffix}")
    assert np.asarray(decode_image(tmp_path / f"x.{suffix}"))[0, :, 0].tolist() == [0, 127, 255]


def test_32_bit_grey_is_scaled_by_its_own_range(tmp_path: Path) -> None:
    levels = np.array([[0, 2**30, 2**31 - 1]], dtype=np.int32)
    Image.fromarray(levels).save(tmp_path / "x.tif")
    assert np.asarray(decode_image(tmp_path / "x.tif"))[0, :, 0].tolist() == [0, 128, 255]


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (255, 0, 0, 0)).save(tmp_path / "rgba.png")
    Image.new("RGBA", (2, 2), (0, 0, 0, 128)).save(tmp_path / "half.png")
    palette = Image.new("P", (2, 2), 1)
    palette.putpalette([0, 0, 0, *RED])
    palette.save(tmp_path / "p.png", transparency=1)
    palette.save(tmp_path / "bytes.png", transparency=bytes([255, 0]))
    palette.save(tmp_path / "p.gif", transparency=1)
    palette.save(tmp_path / "opaque.png")
    Image.new("RGB", (2, 2), RED).save(tmp_path / "trns.png", transparency=RED)
    for name in ("rgba.png", "p.png", "bytes.png", "p.gif", "trns.png"):
        assert pixel(tmp_path / name) == (255, 255, 255)
    assert pixel(tmp_path / "half.png") == (127, 127, 127)
    assert pixel(tmp_path / "opaque.png") == RED


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_the_first_frame_of_an_animation_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    frames[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:])
    assert np.allclose(pixel(tmp_path / f"x.{suffix}"), RED, atol=3)


def bad_files(folder: Path) -> dict[str, Path]:
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    whole = {}
    for suffix in ("jpg", "png", "gif", "bmp", "tif", "webp"):
        Image.fromarray(noise).save(folder / f"cut.{suffix}")
        data = (folder / f"cut.{suffix}").read_bytes()
        (folder / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
        whole[f"cut {suffix}"] = folder / f"cut.{suffix}"
    (folder / "text.png").write_text("no image")
    (folder / "empty.png").touch()
    (folder / "folder.png").mkdir()
    Image.new("RGB", (4, 4)).save(folder / "other.ppm")
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(folder / "nan.tif")
    names = ("text.png", "empty.png", "folder.png", "other.ppm", "nan.tif", "none.png")
    return whole | {name: folder / name for name in names}


def test_what_cannot_be_decoded_is_a_data_error_with_its_path(tmp_path: Path) -> None:
    for path in bad_files(tmp_path).values():
        with pytest.raises(DataError) as caught:
            decode_image(path)
        assert str(caught.value).startswith(f"{path}: ")


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path) -> None:
    Image.new("1", (10_000, 9_000)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match="10000 x 9000 pixels, more than 89,478,485"):
        decode_image(tmp_path / "large.png")
    Image.new("1", (20_000, 9_000)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match="cannot be decoded"):
        decode_image(tmp_path / "bomb.png")
    two_halves().save(tmp_path / "small.png")
    with pytest.raises(DataError, match="more than 63"):
        decode_image(tmp_path / "small.png", max_pixels=63)
    assert decode_image(tmp_path / "small.png", max_pixels=64).size == (8, 8)


def test_the_whole_image_is_squashed_to_a_square() -> None:
    image = two_halves(8).resize((8, 32), Image.Resampling.NEAREST)
    array = ImageTransform(4, "nearest")(image)
    assert array.shape == (3, 4, 4) and array.dtype == np.uint8
    assert array[0].tolist() == [[255] * 4] * 2 + [[0] * 4] * 2
    assert array[1].tolist() == [[0] * 4] * 2 + [[255] * 4] * 2


def test_a_wrong_transform_is_refused() -> None:
    with pytest.raises(DataError, match="bicubic"):
        ImageTransform(4, "cubic")
    with pytest.raises(DataError, match="at least 1"):
        ImageTransform(0)


def grey_images(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{level}.png" for level in range(count)]
    for level, path in enumerate(paths):
        Image.new("L", (5, 5), level).save(path)
    return paths


@pytest.mark.parametrize("cache_mib", [0, 10])
def test_a_store_gives_the_images_asked_for(tmp_path: Path, cache_mib: int) -> None:
    paths = grey_images(tmp_path, 300)
    store = ImageStore(paths, ImageTransform(2), cache_mib, workers=2)
    seen: list[tuple[int, int]] = []
    before = store.get(np.array([7, 3, 7]))
    assert store.load(lambda done, total: seen.append((done, total))) == []
    assert seen == [(256, 300), (300, 300)]
    after = store.get(np.array([7, 3, 7]))
    assert before.equal(after)
    assert after[:, 0, 0, 0].tolist() == [7, 3, 7]
    assert after.shape == (3, 3, 2, 2)
    part = store.subset([paths[9], paths[4]])
    assert part.get(np.array([1, 0]))[:, 0, 0, 0].tolist() == [4, 9]
    assert store.get(np.array([], dtype=np.int64)).shape == (0, 3, 2, 2)
    for path in paths:
        path.unlink()
    if cache_mib:
        assert part.get(np.array([0]))[0, 0, 0, 0] == 9
    else:
        with pytest.raises(DataError, match="no such file"):
            part.get(np.array([0]))


def test_a_cache_that_is_one_byte_short_is_not_used(tmp_path: Path) -> None:
    paths = grey_images(tmp_path, 2)
    need = 2 * 3 * 2 * 2 / 2**20
    assert ImageStore(paths, ImageTransform(2), need).is_cached
    assert not ImageStore(paths, ImageTransform(2), need * 0.99).is_cached


def table_of(folder: Path, names: list[str]) -> QuestionTable:
    lines = ["image,question,answer", *(f"{name},q,a" for name in names for _ in range(2))]
    (folder / "t.csv").write_text("\n".join(lines))
    return read_questions(folder / "t.csv", images=folder)


@pytest.mark.parametrize("cache_mib", [0, 10])
def test_a_bad_image_is_reported_and_never_handed_out(tmp_path: Path, cache_mib: int) -> None:
    grey_images(tmp_path, 3)
    (tmp_path / "1.png").write_text("no image")
    table = table_of(tmp_path, ["0.png", "1.png", "2.png", "no.png"])
    store = ImageStore(table.image_paths, ImageTransform(2), cache_mib)
    faults = store.load()
    assert faults == check_images(table.image_paths, workers=2)
    assert [fault.index for fault in faults] == [1, 3]
    with pytest.raises(DataError, match=r"1\.png"):
        store.get(np.array([0, 1]))
    message = bad_image_message(faults, table)
    assert "2 of 4 images cannot be used, asked about in 4 of 8 questions" in message
    assert f"row 4 and 1 more: {tmp_path / '1.png'}: not an image" in message
    assert "no such file" in message and 'data.on_bad_image = "skip"' in message
    kept = drop_images(table, [fault.index for fault in faults])
    assert kept.image_names == ("0.png", "2.png") and len(kept) == 4
    assert store.subset(kept.image_paths).get(np.array([1]))[0, 0, 0, 0] == 2


def test_ten_bad_images_are_listed_and_all_bad_points_at_the_folder(tmp_path: Path) -> None:
    table = table_of(tmp_path, [f"{i:02d}.png" for i in range(12)])
    faults = check_images(table.image_paths, workers=1)
    message = bad_image_message(faults, table)
    assert message.count("no such file") == 10 and "and 2 more" in message
    assert "check data.images" in message
    assert faults[0] == ImageFault(0, tmp_path / "00.png", "no such file")
    with pytest.raises(DataError, match="no question is left"):
        drop_images(table, range(12))
