import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from latentvqa.data.audit.fingerprints import fingerprint_of
from latentvqa.data.audit.near_copies import find_copies

COUNT = 40


def photograph(seed):
    """Noise of all scales behind shapes of many sizes, as photographs have them."""
    draws = np.random.default_rng(seed)
    width, height = [(320, 240), (240, 320), (256, 256)][seed % 3]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1.0
    waves = np.fft.fft2(draws.standard_normal((height, width))) / frequency**1.1
    texture = np.fft.ifft2(waves).real
    texture = texture / texture.std() * draws.uniform(12, 30)
    pixels = np.clip(draws.uniform(60, 190, 3) + texture[..., None], 0, 255)
    image = Image.fromarray(pixels.astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(draws.integers(3, 40)):
        x, y, radius = draws.uniform(0, width), draws.uniform(0, height), draws.uniform(4, 40)
        colour = tuple(draws.integers(20, 235, 3).tolist())
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return image


@pytest.fixture(scope="module")
def photographs():
    return [photograph(seed) for seed in range(COUNT)]


def encoded(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return Image.open(data).convert("RGB")


def resized(image, factor):
    return image.resize((round(image.width * factor), round(image.height * factor)))


def cropped(image, left, top, right, bottom):
    width, height = image.size
    box = (left * width, top * height, width - right * width, height - bottom * height)
    return image.crop(tuple(map(round, box)))


CHANGES = {
    "JPEG 95": lambda image: encoded(image, "JPEG", quality=95),
    "JPEG 40": lambda image: encoded(image, "JPEG", quality=40),
    "WEBP": lambda image: encoded(image, "WEBP", quality=60),
    "half": lambda image: resized(image, 0.5),
    "double": lambda image: resized(image, 2.0),
    "1.37": lambda image: resized(image, 1.37),
    "left": lambda image: cropped(image, 0.1, 0, 0, 0),
    "bottom": lambda image: cropped(image, 0, 0, 0, 0.1),
    "corner": lambda image: cropped(image, 0, 0.1, 0.1, 0),
    "each side by 5 %": lambda image: cropped(image, 0.05, 0.05, 0.05, 0.05),
    "uneven": lambda image: cropped(image, 0.03, 0.08, 0.07, 0.02),
    "all at once": lambda image: encoded(
        resized(cropped(image, 0.06, 0.02, 0.04, 0.08), 0.6), "JPEG", quality=60
    ),
}


def pairs_of(images):
    copies = find_copies([fingerprint_of(image) for image in images])
    return {tuple(sorted(pair)) for pair in copies.alike.tolist()}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found_and_nothing_else(photographs, change):
    found = pairs_of([*photographs, *map(CHANGES[change], photographs)])
    wanted = {(place, place + COUNT) for place in range(COUNT)}
    assert found <= wanted
    assert len(found) >= 0.95 * COUNT


def test_two_crops_of_different_sides_are_copies_of_each_other(photographs):
    left = [cropped(image, 0.1, 0, 0, 0) for image in photographs]
    right = [cropped(image, 0, 0, 0.1, 0) for image in photographs]
    found = pairs_of([*left, *right])
    assert found <= {(place, place + COUNT) for place in range(COUNT)}
    assert len(found) >= 0.95 * COUNT


def test_an_image_with_one_object_more_is_another_image(photographs):
    changed = [image.copy() for image in photographs]
    for image in changed:
        ImageDraw.Draw(image).ellipse((90, 90, 160, 160), fill=(250, 30, 200))
    assert pairs_of([*photographs, *changed]) == set()


def drawing(x, colour):
    image = Image.new("RGB", (64, 64), (240, 240, 240))
    ImageDraw.Draw(image).rectangle((x, 20, x + 18, 40), fill=colour)
    return image


def test_drawings_are_copies_only_where_every_pixel_is_equal():
    images = [
        drawing(20, (200, 30, 30)),
        drawing(21, (200, 30, 30)),
        drawing(20, (200, 30, 34)),
        drawing(20, (110, 110, 110)),
        encoded(drawing(20, (200, 30, 30)), "PNG"),
    ]
    copies = find_copies([fingerprint_of(image) for image in images])
    assert copies.contents.tolist() == [0, 1, 2, 3, 0]
    assert copies.groups().tolist() == [0, 1, 2, 3, 0]
    assert (len(copies.alike), copies.plain) == (0, 4)


def test_copies_of_copies_are_one_group_and_damaged_images_stand_alone(photographs):
    first, other = photographs[0], photographs[3]
    images = [first, None, encoded(first, "PNG"), other, CHANGES["JPEG 40"](first), None]
    copies = find_copies([image and fingerprint_of(image) for image in images])
    groups = copies.groups().tolist()
    assert groups[0] == groups[2] == groups[4]
    assert len(set(groups)) == 4
    assert copies.contents[0] == copies.contents[2] != copies.contents[4]


@pytest.mark.parametrize("images", [[], [None], [None, None]])
def test_without_images_there_are_no_copies(images):
    copies = find_copies(images)
    assert len(copies.groups()) == len(copies.contents) == len(images)
    assert len(set(copies.groups().tolist())) == len(images)
