"""The plan in a line, and an observer that nobody extended."""

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.engine.runtime.observer import Observer, TrainingPlan
from tests.runs import HEADER, make_run

PLAN = TrainingPlan(
    train_questions=12_345,
    train_images=1_500,
    val_questions=600,
    val_images=75,
    parameters={"vision": 1_000_000, "decoder": 234_567},
    peak_rates={"vision": 1e-4, "decoder": 3e-4},
    frozen_epochs=2,
    batch_size=320,
    steps_per_epoch=1_200,
    epochs=15,
    effective_weight=3.0,
    kl_schedule="after warm-up",
    free_bits=0.1,
    free_bits_origin="",
    beta=0.05,
    answer_entropy=1.7,
    patches=36,
    device="cpu",
    precision="bf16",
    memory=64_000_000,
)


def test_the_summary_of_a_plan_is_one_line_with_its_counts():
    assert PLAN.steps == 18_000
    assert PLAN.summary() == (
        "12,345 questions on 1,500 images, validation 600 on 75; 1,234,567 parameters; "
        "15 epochs of 1,200 steps of 320 questions on cpu (bf16)"
    )


def test_an_observer_that_overrides_nothing_ignores_everything(capsys):
    observer, records = Observer(), make_run(2)
    found = diagnose(HEADER, records)
    observer.notice("a notice")
    observer.progress("epoch 0", 1, 2)
    observer.planned(PLAN)
    observer.epoch_begins(0, 15)
    observer.training_loss(0.5)
    observer.sampled([])
    observer.epoch(HEADER, records, found)
    observer.trained(HEADER, records)
    observer.judged(found)
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""
