from latentvqa.report.page.samples import Sample


def test_an_image_is_held_in_its_address():
    assert Sample("Q?", "A", image=b"\x89PNG", image_type="image/png").image_url == (
        "data:image/png;base64,iVBORw=="
    )
    assert Sample("Q?", "A").image_url is None


def test_a_confidence_is_shown_in_percent():
    assert Sample("Q?", "A", confidence=0.987).confidence_text == "98.7 %"
    assert Sample("Q?", "A").confidence_text is None


def test_an_image_that_is_shown_larger_than_it_is_keeps_its_pixels_sharp():
    assert Sample("Q?", "A", size=(48, 48)).is_tiny
    assert not Sample("Q?", "A", size=(48, 480)).is_tiny
