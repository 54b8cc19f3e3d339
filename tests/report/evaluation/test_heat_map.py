import numpy as np
import pytest

from latentvqa.report.evaluation.heat_map import (
    colour_on_grey,
    colour_ramp,
    heat_map,
    highest_shown,
    shrunk,
    smooth_map,
)

PEAK = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 4.0]])


def image(level, height=60, width=90):
    return np.full((height, width, 3), level, np.uint8)


def test_a_map_is_smooth_and_goes_no_higher_than_its_patches():
    large = smooth_map(PEAK, (60, 90))
    assert large.shape == (60, 90)
    assert large.min() == 0.0 and large.max() == pytest.approx(4.0)
    assert large[50, 80] > 3.5 and large[:35, :50].max() < 0.1
    assert np.abs(np.diff(large, axis=0)).max() < 0.5


def test_a_map_covers_the_whole_image_whatever_its_shape():
    corner = heat_map(image(128, 40, 200), PEAK, 4.0)
    colourful = np.ptp(corner.astype(int), axis=2)
    assert colourful[-5:, -20:].min() > 80
    assert colourful[:10, :60].max() < 10


@pytest.mark.parametrize("level", [0, 128, 255])
def test_attention_stands_out_from_dark_and_light_images(level):
    found = heat_map(image(level), PEAK, 4.0).astype(int)
    assert np.abs(found[55, 85] - found[5, 5]).max() > 60


def test_the_image_can_be_read_beneath_the_brightest_colour():
    pattern = image(30)
    pattern[::2] = 220
    everywhere = np.ones((2, 2))
    found = heat_map(pattern, everywhere, 1.0).astype(int)
    assert np.abs(found[::2] - found[1::2]).min() >= 20
    untouched = heat_map(pattern, 0.0 * everywhere, 1.0)
    assert np.ptp(untouched.astype(int), axis=2).max() == 0  # grey alone


def test_what_is_above_the_highest_has_its_colour_and_an_empty_map_none():
    corners = [heat_map(image(90), scale * PEAK, 4.0)[-1, -1] for scale in (1, 9)]
    assert np.array_equal(*corners)
    assert heat_map(image(90), 0.0 * PEAK, 0.0).std() == 0.0


def test_the_colour_bar_begins_grey_and_changes_at_every_step():
    ramp = colour_ramp().astype(int)[:, 0]
    assert ramp.shape == (256, 3)
    assert np.ptp(ramp[0]) == 0
    # brightness falls nowhere by more than rounding
    assert np.linalg.norm(ramp[-1] - ramp[0]) > 100
    assert np.abs(np.diff(ramp, axis=0)).max() < 12


@pytest.mark.parametrize("share", [0.0, 0.1, 0.33, 0.5, 0.77, 1.0])
def test_the_page_has_the_colours_of_the_picture_file(share):
    drawn = colour_ramp()[round(255 * share), 0].astype(int)
    written = colour_on_grey(share)
    assert np.abs(drawn - [int(written[at : at + 2], 16) for at in (1, 3, 5)]).max() <= 2
    assert colour_on_grey(-1.0) == colour_on_grey(0.0) and colour_on_grey(9.0) == "#e0be46"


def test_the_brightest_colour_stands_for_what_several_tokens_reach():
    assert highest_shown(peak=1.2, together=1.1) == 2.0
    assert highest_shown(peak=60.0, together=3.0) == 6.0
    assert highest_shown(peak=4.0, together=3.0) == 4.0


def test_an_image_is_made_smaller_and_never_larger():
    assert shrunk(image(1, 600, 300), 100).shape == (100, 50, 3)
    assert shrunk(image(1), 1000).shape == (60, 90, 3)
