import pytest

from latentvqa.logs.columns.company import company_of


@pytest.mark.parametrize(
    ("columns", "training"),
    [
        (("step", "loss", "reward", "completion_length", "kl"), "policy training"),
        (("rollout/ep_rew_mean", "train/approx_kl", "train/clip_fraction"), "policy training"),
        (("iter", "policy loss", "value loss", "approx kl", "entropy"), "policy training"),
        (("actor/kl_loss", "critic/rewards/mean", "critic/advantages/mean"), "policy training"),
        (("kl", "recon_loss", "train/clip_fraction", "advantage"), "policy training"),
        (("kl_loss", "ce_loss", "teacher_acc", "student_acc"), "distillation"),
        (("loss_kd", "kl_div"), "distillation"),
    ],
)
def test_a_kl_of_another_training_is_known_by_its_company(columns, training):
    assert company_of(columns).training == training


@pytest.mark.parametrize(
    "columns",
    [
        ("epoch", "loss", "recon_loss", "kl_loss"),
        ("epoch", "cross_entropy", "kl", "entropy"),
        ("epoch", "clip_loss", "grad_clip", "kl", "recon"),
        ("epoch", "teacher_forcing_ratio", "kl", "nll"),
        ("step", "image_loss", "reward_loss", "kl", "post_ent"),  # a model of the world
        ("epoch", "train_kl", "train_kl_raw", "train_teacher"),
    ],
)
def test_nothing_speaks_against_a_posterior(columns):
    assert company_of(columns) is None
