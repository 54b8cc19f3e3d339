"""``--column`` in words and as overrides."""

import pytest

from latentvqa.cli.column_options import column_overrides, columns_of
from latentvqa.config import load_config
from latentvqa.errors import ConfigError
from tests.small_runs import write_images, write_rows


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


def test_training_and_audit_take_them_as_well(cli, tmp_path):
    write_images(tmp_path / "images", 20)
    rows = [(f"{n % 20}.png", f"what {n}?", "ab"[n % 2]) for n in range(60)]
    table = write_rows(tmp_path / "t.csv", rows, "img,frage,antwort")
    named = [
        part
        for pair in ("image=img", "question=frage", "answer=antwort")
        for part in ("--column", pair)
    ]
    data = ("--set", f"data.train={table}", "--set", f"data.images={tmp_path / 'images'}")
    planned = cli("train", *data, *named, "--dry-run")
    assert planned.code == 0 and "questions           54" in planned.out, planned.err
    audited = cli("data", "audit", table, "--images", tmp_path / "images", *named)
    assert audited.code == 0, audited.err
    assert "or --column image=img" in cli("data", "audit", table).err
