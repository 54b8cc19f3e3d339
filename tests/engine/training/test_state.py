"""The sums of an epoch, and what of a run's place travels in a checkpoint."""

import json

import pytest
import torch

from latentvqa.core.records import TeacherCounts
from latentvqa.core.schedules.kl_weight import ControllerState
from latentvqa.engine.training.batch_loss import BatchResult
from latentvqa.engine.training.state import EpochSums, Progress
from latentvqa.engine.training.teacher import Preference
from latentvqa.models import Posterior
from tests.runs import KL

CPU = torch.device("cpu")
QUESTIONS = 5
RESULT = {"temperature": 0.5, "answer_entropy": 1.0, "orthogonality_weight": 0.1}


def loss_of(seed, differing=3, violating=2):
    """A step's loss with every term there is."""
    draws = torch.Generator().manual_seed(seed)
    mu, logvar = torch.randn(2, QUESTIONS, KL.tokens, KL.dims, generator=draws)
    nll = torch.rand(QUESTIONS, generator=draws)
    hinge = torch.tensor(0.25)
    return BatchResult(
        total=nll.mean(),
        terms={"answer_loss": nll.mean(), "orthogonality": torch.tensor(0.5), "teacher": hinge},
        answer_nll=nll,
        answer_tokens=torch.tensor(2 * QUESTIONS),
        is_right=nll < 0.5,
        posterior=Posterior(mu, logvar),
        kl_raw=None,
        preference=Preference(hinge, QUESTIONS, differing, torch.tensor(violating)),
    )


def sums_after(*seeds):
    sums = EpochSums(KL, CPU)
    for seed in seeds:
        sums.add(loss_of(seed), 1.5)
        sums.add_step(1.5, torch.tensor(0.25 * (seed + 1)))
        sums.train_seconds += 2.0
    return sums


def saved_and_read(sums):
    """The state as a checkpoint gives it back, beside what others keep in it."""
    tensors, values = sums.state()
    copies = {name: value.clone() for name, value in tensors.items()}
    others = {"optimizer.0.step": torch.tensor(3.0), "rng.cpu": torch.get_rng_state()}
    again = EpochSums(KL, CPU)
    again.load_state({**others, **copies}, json.loads(json.dumps({"epoch": 4, **values})))
    return again


def test_steps_are_added_up():
    sums = sums_after(0, 1)
    assert sums.weight_sum == pytest.approx(3.0)
    assert sums.gradient_norm.item() == pytest.approx(0.75)
    assert sums.teacher_counts() == TeacherCounts(compared=10, differing=6, violating=4)
    assert sums.metrics.result(**RESULT).rows == 2 * QUESTIONS


def test_a_saved_epoch_goes_on_as_if_it_had_not_been_interrupted():
    straight, resumed = sums_after(0, 1), saved_and_read(sums_after(0))
    resumed.add(loss_of(1), 1.5)
    resumed.add_step(1.5, torch.tensor(0.5))
    resumed.train_seconds += 2.0
    assert resumed.metrics.result(**RESULT) == straight.metrics.result(**RESULT)
    (tensors, values), (expected, wanted) = resumed.state(), straight.state()
    assert values == wanted
    assert tensors.keys() == expected.keys()
    assert all(torch.equal(tensors[name], expected[name]) for name in expected)


def test_the_names_on_disk_are_those_of_version_0_1():
    tensors, values = sums_after(0).state()
    assert {"sums.gradient_norm", "sums.violating"} <= tensors.keys()
    assert {name.split(".")[0] for name in tensors} == {"sums", "measures"}
    assert set(values) == {"train_seconds", "weight_sum", "differing", "compared"}


def test_adding_leaves_what_was_read_from_a_checkpoint_as_it_was():
    tensors, values = sums_after(0).state()
    known = {name: value.clone() for name, value in tensors.items()}
    again = EpochSums(KL, CPU)
    again.load_state(tensors, values)
    again.add(loss_of(1), 1.5)
    again.add_step(1.5, torch.tensor(9.0))
    assert all(torch.equal(tensors[name], known[name]) for name in known)


def test_a_checkpoint_without_sums_begins_at_zero():
    sums = sums_after(0)
    sums.load_state({}, {"epoch": 3})
    assert sums.gradient_norm.item() == sums.violating.item() == sums.weight_sum == 0.0
    assert sums.teacher_counts() == TeacherCounts(compared=0, differing=0, violating=0)


def test_the_progress_reads_its_own_part_of_what_a_checkpoint_holds():
    progress = Progress(epoch=2, batch=7, step=31, weight=0.5, controller=ControllerState(0.25))
    values = json.loads(json.dumps({**progress.to_json(), **sums_after(0).state()[1]}))
    assert Progress.from_json(values) == progress


def test_the_next_epoch_begins_at_its_first_batch():
    progress = Progress(epoch=2, batch=7, step=31, patience_used=1)
    progress.advance()
    assert progress == Progress(epoch=3, batch=0, step=31, patience_used=1)


def test_a_checkpoint_of_an_earlier_version_has_no_controller():
    progress = Progress.from_json({"epoch": 3, "weight_sum": 1.5})
    assert (progress.epoch, progress.controller) == (3, ControllerState())
    assert Progress.from_json(progress.to_json()) == progress
