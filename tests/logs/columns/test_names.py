import pytest

from latentvqa.logs.columns.fields import FIELDS
from latentvqa.logs.columns.names import METRIC_NAMES, PLAIN_KL, POSITION_NAMES, meaning_of


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("kl", "train kl_raw"),
        ("KL", "train kl_raw"),
        ("KLD", "train kl_raw"),
        ("train/kl", "train kl_raw"),
        ("train_kl_loss", "train kl_raw"),
        ("kl_raw_val", "val kl_raw"),
        ("Loss/train", "train total_loss"),
        ("Val Recon-Loss", "val answer_loss"),
        ("eval_loss", "val total_loss"),
        ("valid.nll", "val answer_nll"),
        ("average_loss", "train total_loss"),
        ("validation/epoch_loss", "val total_loss"),
        ("lr-AdamW/pg1", "learning_rate"),
        ("beta", "effective_kl_weight"),
        ("global_step", "step"),
        ("trainer/global_step", "step"),
        ("Epoch", "epoch"),
    ],
)
def test_common_names_are_known(column, label):
    assert meaning_of(column).field.label == label


@pytest.mark.parametrize("column", ["", "foo", "train", "val", "loss_fn", "_", "epoch_step"])
def test_other_names_mean_nothing(column):
    assert meaning_of(column) is None


def test_the_mean_of_an_epoch_ranks_before_a_step():
    assert meaning_of("loss_epoch").rank < meaning_of("loss_step").rank


def test_no_name_stands_for_two_fields():
    names = [*PLAIN_KL, *(name for known in METRIC_NAMES.values() for name in known)]
    names += [name for known in POSITION_NAMES.values() for name in known]
    assert len(names) == len(set(names))


def test_the_names_of_fields_are_the_names_of_records():
    from dataclasses import fields

    from latentvqa.core.records import SplitMetrics

    metrics = {field.name for field in fields(SplitMetrics)}
    assert {f.attribute for f in FIELDS.values() if f.place in ("train", "val")} <= metrics
    assert set(METRIC_NAMES) <= metrics


@pytest.mark.parametrize("column", ["kl_bits", "train/kl_in_bits", "KL (bits)"])
def test_bits_become_nats(column):
    meaning = meaning_of(column)
    assert meaning.field.attribute == "kl_raw"
    assert meaning.scale == pytest.approx(0.6931, abs=1e-4)


def test_bits_per_dimension_are_no_kl_of_an_example():
    assert meaning_of("kl_bits_per_dim") is None


def test_a_sum_ranks_before_a_mean():
    assert meaning_of("kl_sum").rank < meaning_of("kl_mean").rank


@pytest.mark.parametrize("column", ["l1", "l2_loss", "train_mae"])
def test_a_distance_may_be_the_reconstruction_and_is_not_taken_for_it(column):
    assert meaning_of(column).field.place == "other"


@pytest.mark.parametrize(
    ("column", "attribute"), [("KL散度", "kl_raw"), ("重构损失", "answer_loss")]
)
def test_names_in_another_script_are_known_by_their_words(column, attribute):
    assert meaning_of(column).field.attribute == attribute
