import pytest

from latentvqa.core.estimates import Estimate
from latentvqa.core.exchanges import Span


def test_the_ninety_percent_interval_is_narrower_on_either_side():
    span = Span.of(Estimate(0.5, 0.3, 0.6, 100))
    assert (span.value, span.low, span.high) == (0.5, 0.3, 0.6)
    assert span.low_90 == pytest.approx(0.5 - 0.2 * 0.8392, abs=1e-4)
    assert span.high_90 == pytest.approx(0.5 + 0.1 * 0.8392, abs=1e-4)


def test_one_image_gives_no_span():
    with pytest.raises(ValueError, match="one image"):
        Span.of(Estimate(0.5, None, None, 3))
