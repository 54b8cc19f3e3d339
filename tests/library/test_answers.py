"""An answer as a value, and as a notebook shows it."""

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import latentvqa
from latentvqa.library.answers import Answer, Attention, jpeg_of

PICTURE = Image.new("RGB", (900, 300), "red")


def attention(tokens=2, grid=(2, 3)):
    weights = np.random.default_rng(0).dirichlet(np.ones(grid[0] * grid[1] + 1), tokens)
    weights = weights.astype(np.float32)
    return weights, Attention(weights[:, :-1].reshape(-1, *grid), weights[:, -1])


def test_attention_is_maps_and_the_share_of_the_question():
    weights, one = attention()
    assert one.tokens.shape == (2, 2, 3) and one.question.shape == (2,)
    np.testing.assert_array_equal(one.whole, weights)
    np.testing.assert_allclose(one.tokens.sum((1, 2)) + one.question, 1.0, rtol=1e-6)
    assert repr(one).startswith("Attention(tokens of shape (2, 2, 3), question=[")


def test_an_answer_is_its_text_and_shows_no_bytes():
    one = Answer("a cat", 0.9, jpeg=jpeg_of(PICTURE))
    assert str(one) == "a cat"
    assert "jpeg" not in repr(one)
    assert one == Answer("a cat", 0.9) != Answer("a cat", 0.8)


def test_a_picture_is_kept_small_and_in_its_shape():
    with Image.open(BytesIO(jpeg_of(PICTURE, 300))) as small:
        assert small.size == (300, 100)
    with Image.open(BytesIO(jpeg_of(PICTURE, 3000))) as same:
        assert same.size == (900, 300)
    assert PICTURE.size == (900, 300)


def pictures_in(html):
    for content in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html):
        with Image.open(BytesIO(b64decode(content))) as picture:
            yield picture.size


def test_a_notebook_shows_picture_question_and_answers():
    one = Answer("two", 0.75, (("three", 0.125),), "how many?", jpeg=jpeg_of(PICTURE, 300))
    html = one._repr_html_()
    assert list(pictures_in(html)) == [(300, 100)]
    for text in ("how many?", ">two</strong>", "75.0 % sure", "three", "12.5 %"):
        assert text in html
    assert "width:75.0%" in html


def test_the_maps_stand_in_place_of_the_picture():
    one = Answer("a", 0.5, question="q?", attention=attention()[1], jpeg=jpeg_of(PICTURE))
    html = one._repr_html_()
    # the image, all tokens, and each of two
    assert list(pictures_in(html)) == [(320, 107)] * 2 + [(200, 67)] * 2
    assert re.findall(r'<img alt="([^"]+)"', html) == [
        "image",
        "all 2 tokens",
        "token 0",
        "token 1",
    ]
    assert one.attention_picture().width > 900


def test_a_notice_of_the_maps_stands_beside_them_and_in_their_picture():
    looked = attention()[1]
    noted = replace(looked, notice="They hardly differ.")
    plain, told = (
        Answer("a", 0.5, question="q?", attention=one, jpeg=jpeg_of(PICTURE))
        for one in (looked, noted)
    )
    assert "They hardly differ." in told._repr_html_()
    assert "They hardly differ." not in plain._repr_html_()
    assert told.attention_picture().height > plain.attention_picture().height


def test_attention_that_was_not_asked_for_is_told():
    with pytest.raises(latentvqa.ConfigError, match="attention=True"):
        Answer("a", 0.5).attention_picture()
