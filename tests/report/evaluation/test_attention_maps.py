import numpy as np
import pytest

from latentvqa.report.evaluation.attention_maps import attention_maps, map_pictures

GRID = (2, 3)
# the first token looks at one patch with half of its attention, the second everywhere
LOOKED = np.array([[0.5, 0, 0, 0, 0, 0, 0.5], [0.15] * 6 + [0.1]])


def test_maps_are_multiples_of_an_even_share_of_what_goes_to_the_image():
    maps = attention_maps(LOOKED, GRID)
    np.testing.assert_allclose(maps.tokens[0], [[6, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(maps.tokens[1], np.ones(GRID))
    np.testing.assert_allclose(maps.together.mean(), 1.0)
    np.testing.assert_allclose(maps.together[0, 0], 6 * 0.65 / 1.4)
    np.testing.assert_allclose(maps.at_question, [0.5, 0.1])


def test_the_brightest_colour_says_whether_a_token_goes_beyond_it():
    assert attention_maps(LOOKED, GRID).highest_label == "≥ 5.6"  # twice 2.79
    assert attention_maps(LOOKED[1:], GRID).highest_label == "2"


def test_every_token_has_a_picture_after_the_image_and_the_map_of_all():
    image = np.full((40, 60, 3), 200, np.uint8)
    drawn = map_pictures(image, attention_maps(LOOKED, GRID))
    assert [(one.name, one.at_question) for one in drawn] == [
        ("image", ""),
        ("all 2 tokens", "question 30 %"),
        ("token 0", "question 50 %"),
        ("token 1", "question 10 %"),
    ]
    (one,) = map_pictures(image, attention_maps(LOOKED[:1], GRID))[1:]
    assert (one.name, one.at_question) == ("the token", "question 50 %")


@pytest.mark.parametrize(
    ("size", "large", "small"),
    [((48, 48), (288, 288), (192, 192)), ((600, 1200), (160, 320), (100, 200))],
)
def test_a_tiny_image_is_made_large_in_whole_steps_and_a_large_one_small(size, large, small):
    image = np.zeros((*size, 3), np.uint8)
    image[0, 0] = 255
    drawn = map_pictures(image, attention_maps(LOOKED, GRID))
    assert [one.pixels.shape[:2] for one in drawn] == [large, large, small, small]
    if size == (48, 48):
        assert (drawn[0].pixels[:6, :6] == 255).all() and drawn[0].pixels.sum() == 36 * 3 * 255
