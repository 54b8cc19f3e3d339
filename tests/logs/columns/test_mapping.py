import pytest

from latentvqa.errors import ConfigError
from latentvqa.logs.columns.company import Company
from latentvqa.logs.columns.fields import FIELDS, Field
from latentvqa.logs.columns.mapping import Columns, taken_sentence, unused_sentence


def met(names, mapping=None, split=""):
    columns = Columns(mapping or {})
    for name in names:
        columns.meaning(name)
    fields = columns.resolved([(name, split) for name in names])
    return columns, {name: field for (name, _), field in fields.items()}


def test_the_users_word_goes_before_the_name():
    _, fields = met(["kl_raw", "mine"], {"val_rate": "kl_raw", "kl_raw": "mine"})
    assert fields == {"kl_raw": Field("val", "rate"), "mine": Field("train", "kl_raw")}


@pytest.mark.parametrize(
    ("names", "attribute"), [(["kl"], "kl_raw"), (["kl", "kl_raw"], "kl_after")]
)
def test_a_plain_kl_is_what_its_neighbours_leave_it(names, attribute):
    _, fields = met(names)
    assert fields["kl"].attribute == attribute


def test_a_row_of_validation_moves_columns_that_name_no_split():
    names = ["kl_raw", "train_loss"]
    columns, _ = met(names)
    fields = columns.resolved([(name, "val") for name in names])
    assert fields["kl_raw", "val"].place == "val"
    assert fields["train_loss", "val"].place == "train"


def test_a_test_split_stands_for_validation_only_where_there_is_none():
    _, alone = met(["test_loss"])
    assert {field.place for field in alone.values()} == {"val"}
    _, both = met(["test_loss", "val_loss"])
    assert set(both) == {"val_loss"}


def test_a_mapping_to_a_column_that_is_not_there_names_the_nearest():
    columns, _ = met(["train/kl", "loss"], {"kl_raw": "trian/kl"})
    with pytest.raises(ConfigError, match=r"no column trian/kl; the nearest are train/kl"):
        columns.require_mapped()
    with pytest.raises(ConfigError, match="it has no columns"):
        Columns({"kl_raw": "x"}).require_mapped()


def test_accents_may_be_saved_in_either_form():
    columns, fields = met(["pe\u0301nalite\u0301"], {"kl_raw": "p\u00e9nalit\u00e9"})
    columns.require_mapped()
    assert fields == {"pe\u0301nalite\u0301": FIELDS["kl_raw"]}


def test_the_notes_name_what_was_taken_by_its_name_and_what_was_not_used():
    columns, _ = met(["train/kl_raw", "mine", "weather"], {"rate": "mine"})
    fields = columns.resolved([("train/kl_raw", ""), ("mine", "")])
    assert taken_sentence(fields, columns) == (
        "Taken by their names: train/kl_raw as train kl_raw."
    )
    assert unused_sentence(columns) == "Columns not used: weather."


def test_a_kl_by_name_alone_is_dropped_in_other_company_and_a_mapped_one_stays():
    columns, _ = met(["kl", "mine"], {"kl_raw": "mine"})
    used = [("kl", ""), ("mine", "")]
    company = Company("reinforcement learning", "reward")
    assert [name for name, _ in columns.resolved(used, company)] == ["mine"]
