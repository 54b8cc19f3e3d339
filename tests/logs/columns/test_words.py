import pytest

from latentvqa.logs.columns.names import meaning_of
from latentvqa.logs.columns.words import kind_of, words_of


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("train/klLoss_z", ("train", "kl", "loss", "z")),
        ("KLLoss", ("kl", "loss")),
        ("D_KL", ("d", "kl")),
        ("kldloss", ("kl", "d", "loss")),
        ("reconloss", ("recon", "loss")),
        ("Reconstruction Loss", ("reconstruction", "loss")),
        ("", ()),
    ],
)
def test_a_name_is_taken_apart(column, words):
    assert words_of(column) == words


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("vae_kl_loss", "kl"),
        ("kl_local", "kl"),
        ("kullback_leibler_divergence", "kl"),
        ("total_kld", "kl"),
        ("kl_loss_weight", "weight"),
        ("kl_coef", "weight"),
        ("cur_kl_coeff", "weight"),
        ("beta_kl", "like kl"),  # the weight, or the weighted KL
        ("kl_weighted", "like kl"),
        ("kl_annealed", "like kl"),
        ("kl_global", "like kl"),
        ("kl_y", "like kl"),
        ("reg_loss", "like kl"),
        ("divergence", "like kl"),
        ("kl_0", "many kl"),
        ("approx_kl", "policy kl"),
        ("distill_kl", "policy kl"),
        ("target_kl", ""),
        ("kl_free", ""),
        ("vae_r_loss", "reconstruction"),
        ("L_rec", "reconstruction"),
        ("recon_mse", "reconstruction"),
        ("L_total", "total"),
        ("gen_loss", ""),
        ("clip_loss", ""),
    ],
)
def test_the_words_of_a_name_say_what_it_can_stand_for(column, kind):
    assert kind_of(words_of(column)) == kind


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("kl_local_train", "train kl_raw"),
        ("losses/val/klLoss", "val kl_raw"),
        ("vae_kl_loss", "train kl_raw"),
        ("val_vae_r_loss", "val answer_loss"),
        ("reconstruction_loss_validation", "val answer_loss"),
        ("kl_coefficient", "kl_weight"),
        ("my-run - val/kl_loss", "val kl_raw"),
    ],
)
def test_a_name_that_no_table_holds_is_known_by_its_words(column, label):
    assert meaning_of(column).field.label == label


@pytest.mark.parametrize(
    "column", ["my-run - val/kl__MAX", "kl_y", "train_val_kl_q", "dropout rate"]
)
def test_a_name_with_other_words_is_not_taken(column):
    assert meaning_of(column) is None


def test_a_sum_over_dimensions_goes_before_their_mean():
    assert meaning_of("total_kld").rank < meaning_of("mean_kld").rank
