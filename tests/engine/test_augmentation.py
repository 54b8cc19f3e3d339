import unicodedata

import pytest
import torch

from latentvqa.config import Augment
from latentvqa.engine.augmentation import Augmentation, falsified

SIZE = 32


def striped():
    """Images whose left half is dark and whose top row is red."""
    images = torch.full((6, 3, SIZE, SIZE), 200, dtype=torch.uint8)
    images[:, :, :, : SIZE // 2] = 30
    images[:, 0, 0] = 255
    return images


def changed(**keys):
    torch.manual_seed(0)
    return Augmentation(Augment(**keys), SIZE)(striped())


def is_dark_left(images):
    return images[:, :, 4:, :4].float().mean(dim=(1, 2, 3)) < 100


def test_without_a_change_images_are_given_back_as_they_are():
    images = striped()
    assert Augmentation(Augment(), SIZE)(images) is images


def test_features_of_a_frozen_backbone_are_left_alone():
    features = torch.randn(2, 4, 8)
    assert Augmentation(Augment(flip=True, rotation=90.0), SIZE)(features) is features


def test_a_flip_mirrors_some_images_and_no_more():
    images = changed(flip=True)
    mirrored = ~is_dark_left(images)
    assert 0 < mirrored.sum() < len(images)
    expected = torch.where(mirrored[:, None, None, None], striped().flip(-1), striped())
    assert torch.equal(images, expected)


@pytest.mark.parametrize("keys", [{"crop": 0.3}, {"rotation": 20.0}, {"colour": 1.0}])
def test_each_image_is_changed_by_itself_and_keeps_its_shape_and_kind(keys):
    images = changed(**keys)
    assert images.shape == striped().shape
    assert images.dtype == torch.uint8
    assert is_dark_left(images).all()  # no side is changed
    assert len({one.numpy().tobytes() for one in images}) == len(images)


def test_a_light_that_changes_moves_nothing():
    images = changed(colour=1.0).float().mean(dim=1)
    assert (images[:, 4:, SIZE // 2].std(dim=1) < 1e-3).all()


def test_the_same_generator_draws_the_same_changes():
    assert torch.equal(changed(crop=0.5, flip=True), changed(crop=0.5, flip=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Is the left lung larger?", {"flip": 1, "colour": 0}),
        ("which side? Right", {"flip": 1, "colour": 0}),
        ("con mèo ở bên trái", {"flip": 1, "colour": 0}),
        ("có phải là con mèo không", {"flip": 0, "colour": 0}),
        ("What colour is it?", {"flip": 0, "colour": 1}),
        ("xe màu gì", {"flip": 0, "colour": 1}),
        ("xe rẽ phải ở ngã tư", {"flip": 1, "colour": 0}),
        ("tòa nhà ở phía đông có đông người không", {"flip": 1, "colour": 0}),
        ("toà nhà có đông người không, phải không", {"flip": 0, "colour": 0}),
        ("HOA HÒE MÀU VÀNG", {"flip": 0, "colour": 1}),
        ("hoa hoè có màu da cam", {"flip": 0, "colour": 1}),
        ("is the brightness high?", {"flip": 0, "colour": 0}),
        ("was it reduced?", {"flip": 0, "colour": 0}),
    ],
)
def test_texts_say_what_a_change_would_falsify(text, expected):
    assert falsified([text]) == expected
    assert falsified([unicodedata.normalize("NFD", text)]) == expected
