"""Which runs of a plan are trained, which are left alone, and what is said of each."""

import pytest

from latentvqa.config import config_to_toml, load_plan
from latentvqa.engine.ablation.runner import run_ablation
from latentvqa.engine.ablation.runs import (
    SCENES_TABLE,
    Ending,
    backbone_place,
    places_of,
    scenes_folder,
)
from latentvqa.engine.runtime.file_lock import held_lock
from latentvqa.errors import CheckpointError
from tests.small_runs import BRIEF, Recorder, small_config

FAILS = '{ "vision.name" = "nope" }'  # no model of that name: its process ends within seconds


def planned(folder, arms, more=""):
    """A plan of the small run and its places."""
    config = config_to_toml(small_config(*BRIEF))
    (folder / "small.toml").write_text(config, encoding="utf-8")
    lines = [f"{name} = {keys}" for name, keys in arms.items()]
    plan = folder / "plan.toml"
    plan.write_text(
        f'default = "{next(iter(arms))}"\nseeds = [0]\nconfig = "small.toml"\n'
        + "\n".join(["[arms]", *lines, more])
    )
    ablation = load_plan(str(plan))
    return ablation, places_of(ablation, folder / "out")


def finish(place):
    """Leave what a finished run leaves that the runner asks for."""
    place.evaluation.mkdir(parents=True)
    (place.evaluation / "predictions.csv").touch()
    place.write_ending(Ending(0))


def ran(ablation, folder, **options):
    recorder = Recorder()
    run_ablation(ablation, folder / "out", recorder, **options)
    return recorder.notices


def test_runs_that_ended_are_left_alone_and_failed_ones_are_named(tmp_path):
    ablation, (one, other, third) = planned(
        tmp_path, {"same": "{}", "narrow": '{ "latent.dims" = 8 }', "again": "{}"}
    )
    assert one.key == third.key
    finish(one)
    other.write_ending(Ending(1, "the disk is full"))
    assert ran(ablation, tmp_path) == [
        "[1] narrow, seed 0: failed: the disk is full; --retry-failed tries it again",
        "finished before: 1 of 2",
    ]
    assert not other.config_file.exists()
    assert ran(ablation, tmp_path, only=0) == ["finished before: 1 of 1"]


def test_a_failed_run_is_taken_up_again_on_request_and_one_that_is_held_comes_last(tmp_path):
    ablation, (held, done, wrong) = planned(
        tmp_path, {"held": "{}", "done": '{ "latent.dims" = 8 }', "wrong": FAILS}
    )
    finish(done)
    wrong.write_ending(Ending(1, "of an earlier try"))

    class Releasing(Recorder):
        """Ends the held run when the other one has failed, as its process would."""

        def notice(self, text):
            super().notice(text)
            if text.startswith(f"{wrong.name}: failed"):
                held.write_ending(Ending(1, "of the other process"))
                lock.__exit__(None, None, None)

    held.folder.parent.mkdir(exist_ok=True)
    lock = held_lock(held.lock_file, None, lambda: None)
    lock.__enter__()
    recorder = Releasing()
    run_ablation(ablation, tmp_path / "out", recorder, retry_failed=True)
    assert wrong.state() == "failed" and "is no timm model" in wrong.ending().message
    assert recorder.notices == [
        "finished before: 1 of 3",
        f"{held.name}: another process trains it; going on with the next",
        f"{wrong.name}: begins, output in {wrong.output_file}",
        f"{wrong.name}: failed: {wrong.ending().message}",
        f"{held.name}: failed: of the other process",
    ]
    assert not held.config_file.exists()
    assert (tmp_path / "out" / scenes_folder(wrong.config) / SCENES_TABLE).is_file()


def test_without_its_backbone_no_arm_is_trained(tmp_path):
    more = '[backbone]\n"vision.name" = "nope"'
    ablation, (arm,) = planned(tmp_path, {"free": '{ "vision.freeze_epochs" = 0 }'}, more)
    backbone = backbone_place(ablation, tmp_path / "out")
    with pytest.raises(CheckpointError) as refused:
        ran(ablation, tmp_path)
    message = str(refused.value)
    assert "the backbone that every arm starts from cannot be trained: vision.name" in message
    assert str(backbone.output_file) in message and "--retry-failed" in message
    assert arm.state() == "waiting" and backbone.state() == "failed"
    with pytest.raises(CheckpointError):  # known from the first try, with no second one
        ran(ablation, tmp_path)
    assert backbone.output_file.read_text().count("error: ") == 1
