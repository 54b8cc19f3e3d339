"""What is said before the first step."""

import pytest

from latentvqa.cli.plan_lines import plan_lines
from latentvqa.config.resolving import AUTOMATIC_BATCH_SIZES
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.engine.specification import specify
from latentvqa.engine.training.plan import FEW_STEPS, announce
from latentvqa.engine.training.setup import begin, make_trainer, new_model
from latentvqa.engine.training.start import dry_run
from tests.small_runs import BRIEF, STEPS, Recorder, small_config


def test_the_plan_is_told_and_a_small_one_is_warned_about(finished, tmp_path):
    plan = finished.recorder.plans[0]
    assert (plan.train_questions, plan.val_questions, plan.steps) == (288, 32, 4 * STEPS)
    recorder = Recorder()
    dry_run(small_config("data.scenes=full", "data.scene_images=10"), tmp_path, recorder)
    assert any("only 12 optimizer steps planned" in text for text in recorder.notices)


def test_a_dry_run_tells_how_free_bits_were_reckoned(tmp_path):
    recorder = Recorder()
    dry_run(
        small_config(*BRIEF, "kl.free_bits=auto", "kl.free_bits_per_need=5"), tmp_path, recorder
    )
    plan = recorder.plans[0]
    reckoned = f"5 x H(A) {plan.answer_entropy:.3g} / (6 x 16) = {plan.free_bits:.3g}"
    assert plan.free_bits_origin == reckoned
    assert any(f"auto: {reckoned}" in line for line in plan_lines(plan, 1.0))


def test_a_dry_run_tells_the_batch_that_the_data_chose(tmp_path):
    recorder = Recorder()
    dry_run(small_config(*BRIEF, "loader.batch_size=auto"), tmp_path, recorder)
    plan = recorder.plans[0]
    assert plan.batch_size == AUTOMATIC_BATCH_SIZES[0]  # too few questions for larger ones
    assert any(f", of {plan.batch_size} questions each" in line for line in plan_lines(plan, 1.0))


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """Ready to run, and never run; a test may give it another configuration."""
    recorder = Recorder()
    config = small_config("data.scene_images=20")
    settings, tables = begin(config, tmp_path_factory.mktemp("plan"), recorder)
    tokenizers = train_tokenizers(settings.config.text, tables.train)
    model, _ = new_model(settings, specify(settings.config, tokenizers))
    return make_trainer(settings, model, tokenizers, tables, recorder)


def announced(trainer, **sections):
    """The plan and the notices under a changed configuration."""
    known = trainer.settings.config
    changed = known
    for name, values in sections.items():
        changed = changed.replace(name, **values)
    trainer.observer = Recorder()
    trainer.refit(changed)
    announce(trainer)
    trainer.refit(known)
    return trainer.observer.plans[0], trainer.observer.notices


def test_the_plan_counts_what_is_there(trainer):
    plan, _ = announced(trainer)
    everything = sum(parameter.numel() for parameter in trainer.model.parameters())
    assert sum(plan.parameters.values()) == everything
    assert plan.train_questions + plan.val_questions == 20 * 8
    assert plan.train_images + plan.val_images == 20
    assert plan.steps == plan.steps_per_epoch * plan.epochs == trainer.total_steps
    assert plan.patches == (48 // 8) ** 2
    assert plan.memory == 16 * everything  # weight, gradient and two moments
    assert f"{everything:,} parameters" in plan.summary()
    assert plan.peak_rates.keys() == plan.parameters.keys()


def test_what_is_never_trained_has_neither_gradient_nor_moments(trainer):
    plan, _ = announced(trainer, vision={"trained_layers": 0})
    everything = sum(plan.parameters.values())
    backbone = plan.parameters["vision"]
    assert plan.memory == 16 * (everything - backbone) + 4 * backbone
    assert any("in every epoch" in line for line in plan_lines(plan, 1.0))


@pytest.mark.parametrize(
    ("kl", "words"),
    [
        ({"schedule": "linear"}, "after warm-up"),
        (
            {"schedule": "constant", "warmup_start_epoch": 1},
            "from epoch 1 of the warmup stage",
        ),
        (
            {"schedule": "cyclical", "cycles": 3, "warmup_epochs": 6},
            "at the top of 3 cycles over 6 epochs",
        ),
        ({"schedule": "controller", "set_point": 0.2}, "at most, to hold kl_raw at 0.2"),
    ],
)
def test_a_schedule_is_said_in_words(trainer, kl, words):
    assert announced(trainer, kl=kl)[0].kl_schedule == words


def test_nothing_is_priced_without_a_gaussian_latent(trainer):
    plan, _ = announced(trainer, latent={"bottleneck": "deterministic"})
    assert (plan.effective_weight, plan.beta) == (0.0, 0.0)
    assert announced(trainer)[0].beta == trainer.beta(3.0) > 0.0


def test_a_short_plan_is_warned_about_up_to_its_limit_and_on_other_scenes_than_easy(trainer):
    def warnings(epochs, scenes):
        changes = {"stages": {"warmup": epochs, "full": 0}, "data": {"scenes": scenes}}
        return [text for text in announced(trainer, **changes)[1] if text.startswith("warning")]

    enough = -(-FEW_STEPS // trainer.steps_per_epoch)
    assert warnings(enough, "full") == []
    (text,) = warnings(enough - 1, "full")
    assert "optimizer steps planned; below 3,000" in text
    assert warnings(enough - 1, None) and warnings(1, "easy") == []
