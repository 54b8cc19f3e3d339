from dataclasses import fields

import pytest

from latentvqa.core.records import EpochRecord, SplitMetrics
from latentvqa.logs.columns.fields import FIELDS, POSITIONS, Field, nearest


def test_every_field_is_an_attribute_of_a_record():
    held = {
        "train": {item.name for item in fields(SplitMetrics)},
        "val": {item.name for item in fields(SplitMetrics)},
        "run": {item.name for item in fields(EpochRecord)} | {"learning_rate"},
        "position": set(POSITIONS),
    }
    for field in FIELDS.values():
        assert field.attribute in held[field.place]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("kl", Field("train", "kl_after")),
        ("kl_after", Field("train", "kl_after")),
        ("val_kl", Field("val", "kl_after")),
        ("train_answer_loss", Field("train", "answer_loss")),
        ("effective_kl_weight", Field("run", "effective_kl_weight")),
        ("step", Field("position", "step")),
    ],
)
def test_a_field_is_known_by_its_short_and_its_full_name(name, field):
    assert FIELDS[name] == field


def test_a_sentence_names_the_split_where_there_is_one():
    assert FIELDS["val_nll"].label == "val answer_nll"
    assert FIELDS["kl_weight"].label == "kl_weight"


def test_the_nearest_name_is_found_whatever_its_case_and_shown_as_it_stands():
    assert nearest("KL_RWA", ["Total", "KL_raw"]) == ["KL_raw"]
    assert nearest("x" * 10_000, ["Total", "KL_raw"], most=2) != []
    assert nearest("x", []) == []
