import pytest

from latentvqa.core.diagnosis.verdict import NextStep
from latentvqa.core.records import TuningEvent
from latentvqa.core.rules.rule import Advice
from latentvqa.report.diagnosis.advice import advice_text, next_step_text, tuning_text

LESS_KL = Advice("kl.factor", 0.2, 0.15)


@pytest.mark.parametrize(
    ("advice", "text"),
    [
        (LESS_KL, "kl.factor: 0.2 -> 0.15"),
        (Advice("optimizer.decoder_rate", 5e-4, 3e-4), "optimizer.decoder_rate: 5e-4 -> 3e-4"),
        (
            Advice("latent.temperature_warmup_epochs", 0, 6.0),
            "latent.temperature_warmup_epochs: 0 -> 6",
        ),
        (Advice("optimizer.latent_rate", 4.5e-4, 3e-4), "optimizer.latent_rate: 4.5e-4 -> 3e-4"),
        (Advice("kl.free_bits", 0.123456, 0.086), "kl.free_bits: 0.123 -> 0.086"),
    ],
)
def test_a_change_is_one_line_of_a_configuration(advice, text):
    assert advice_text(advice) == text


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (NextStep(), ""),
        (NextStep("Let an epoch finish."), "Let an epoch finish."),
        (NextStep("", LESS_KL, "kl_high"), "Try kl.factor: 0.2 -> 0.15 (KL high)."),
        (
            NextStep("", LESS_KL, "kl_high", is_own=False),
            "Try kl.factor: 0.2 -> 0.15 (KL high), or what it is called in your code.",
        ),
    ],
)
def test_the_next_step_is_a_change_or_a_sentence(step, text):
    assert next_step_text(step) == text


def test_every_event_of_tuning_is_one_line():
    changed = TuningEvent(10, "change", "KL010", "kl.factor", 0.2, 0.15, 0.9)
    undone = TuningEvent(13, "undo", "KL010", "kl.factor", 0.15, 0.2, 0.9, 0.91)
    kept = TuningEvent(13, "keep", "KL010", "kl.factor", 0.2, 0.15, 0.9, 0.8)
    assert tuning_text(changed) == "auto-tune after epoch 10: kl.factor: 0.2 -> 0.15 (KL010)"
    assert tuning_text(undone) == (
        "auto-tune after epoch 13: undone, kl.factor: 0.15 -> 0.2 (KL010; best validation answer "
        "loss 0.9 -> 0.91)"
    )
    assert "kept, not shown to help, kl.factor: 0.2 -> 0.15" in tuning_text(kept)
