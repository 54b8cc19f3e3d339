"""``--column`` in words and as overrides."""

import pytest

from latentvqa.cli.column_options import column_overrides, columns_of
from latentvqa.config import load_config
from latentvqa.errors import ConfigError


def test_names_are_split_at_the_first_sign():
    assert columns_of(["image=img_id", "question=a=b"]) == {"image": "img_id", "question": "a=b"}
    assert columns_of(None) == {}


@pytest.mark.parametrize("text", ["image", "=x", "image="])
def test_another_form_is_refused(text):
    with pytest.raises(ConfigError, match="write it as image=img_id"):
        columns_of([text])


def test_a_configuration_takes_them_whatever_they_hold():
    texts = ['question=câu "hỏi"\t#1', "image=img_id"]
    config = load_config(overrides=["data.train=t.csv", "data.images=i", *column_overrides(texts)])
    assert config.data.columns == {"question": 'câu "hỏi"\t#1', "image": "img_id"}
