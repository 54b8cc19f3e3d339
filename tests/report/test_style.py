import pytest
from rich.color import Color, ColorSystem

from latentvqa.report.style import CRITICAL, INFO, NOT_JUDGED, OK, WARNING

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def luminance(colour):
    shares = [part / 255 for part in colour]
    linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """As the Web Content Accessibility Guidelines 2.1 define it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [OK, INFO, WARNING, CRITICAL, NOT_JUDGED])
@pytest.mark.parametrize("ground", [WHITE, BLACK])
def test_colours_of_a_terminal_are_legible_on_white_and_on_black(colour, ground):
    exact = Color.parse(colour)
    assert contrast(exact.get_truecolor(), ground) >= 4.5
    nearest = exact.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    assert contrast(nearest, ground) >= 3.5  # bold, or of a border


def test_colours_stay_different_where_a_terminal_has_sixteen():
    colours = (OK, INFO, WARNING, CRITICAL, NOT_JUDGED)
    few = [Color.parse(one).downgrade(ColorSystem.STANDARD).number for one in colours]
    assert len(set(few)) == 5 and not {0, 7, 15} & set(few)
