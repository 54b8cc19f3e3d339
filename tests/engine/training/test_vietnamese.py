"""Runs on Vietnamese: where tones stand makes no difference, from vocabulary to prediction."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from latentvqa.config import load_config
from latentvqa.data.folders.pictures import PictureFile
from latentvqa.data.tables import read_questions
from latentvqa.engine.evaluation.evaluate import Evaluation, evaluate
from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import predict
from latentvqa.engine.runs.checkpoint import SCHEMA, SPELT_SCHEMA, load_checkpoint
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import read_training_answers
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from latentvqa.sums import replace_summed
from tests.small_runs import Recorder, records_of, small_overrides
from tests.vietnamese_photos import NEW, OLD, draw_pictures, write_table

pytestmark = pytest.mark.heavy

PICTURES, HELD_OUT = range(40), range(40, 60)
SHORT = ("stages.warmup=2", "stages.full=2")
SCENES = ("data.scenes", "data.scene_images", "data.scene_questions")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("vietnamese")
    draw_pictures(folder / "images", HELD_OUT.stop)
    for name, placement in (("old", OLD), ("new", NEW)):
        write_table(folder / f"train-{name}.csv", PICTURES, placement)
        write_table(folder / f"val-{name}.csv", HELD_OUT, placement)
    write_table(folder / "val-decomposed.csv", HELD_OUT, NEW, "NFD")
    return folder


def trained(data: Path, run: Path, train_table: str, val_table: str, *changes: str) -> Path:
    wanted = small_overrides(
        f"data.train={data}/train-{train_table}.csv",
        f"data.val={data}/val-{val_table}.csv",
        f"data.images={data}/images",
        *("vision.image_size=32", "loader.batch_size=16", "stages.warmup=8", "stages.full=1"),
        *("fusion.dropout=0", "latent.token_dropout=0"),
        *changes,
        **dict.fromkeys(SCENES),
    )
    train(load_config(None, overrides=wanted), run, Recorder(run))
    return run


@pytest.fixture(scope="module")
def mixed(data, tmp_path_factory) -> Path:
    """Trained on old placement, validated on new."""
    run = tmp_path_factory.mktemp("mixed") / "run"
    return trained(data, run, "old", "new", 'text.language="vi"')


@pytest.fixture(scope="module")
def plain(data, tmp_path_factory) -> Path:
    """The same without a language, and briefly."""
    return trained(data, tmp_path_factory.mktemp("plain") / "run", "old", "new", *SHORT)


def scored(run: Path, table: Path, **options) -> Evaluation:
    held = read_questions(table, images=table.parent / "images")
    return evaluate(load_model(run), held, Observer(), run=run, **options)


def test_two_placements_train_and_validate_as_one_does(data, mixed, tmp_path):
    single = trained(data, tmp_path / "run", "new", "new", 'text.language="vi"')
    assert records_of(mixed) == records_of(single)
    assert records_of(mixed)[-1]["val"]["exact_match"] > 0.9


def test_without_the_language_the_other_placement_is_another_word(data, mixed, plain):
    apart, together = (scored(run, data / "val-new.csv").result for run in (plain, mixed))
    assert apart.questions_with_unknown_words > together.questions_with_unknown_words == 0
    assert apart.seen_answers.upper_bound == pytest.approx(1 / 3)  # no object has its name
    assert together.seen_answers.upper_bound == 1.0
    assert load_checkpoint(plain).model["schema"] == SCHEMA
    assert load_checkpoint(mixed).model["schema"] == SPELT_SCHEMA  # no earlier version reads it


def test_every_measure_is_the_same_for_both_placements(data, mixed):
    tables = [data / f"val-{name}.csv" for name in ("new", "old", "decomposed")]
    new, *others = (
        scored(mixed, table, latent_use="full", is_calibrating=True) for table in tables
    )
    for other in others:
        assert other.answers == new.answers
        assert other.result.metrics == new.result.metrics
        assert other.result.types == new.result.types
        assert other.result.priors == new.result.priors
        assert other.result.seen_answers == new.result.seen_answers
        assert other.result.confidence == new.result.confidence
        assert other.result.latent_use == new.result.latent_use
    assert new.result.language == "vi"
    assert {"toà nhà", "màu đỏ"} <= set(read_training_answers(mixed))
    assert new.result.metrics["anls"].value > 0.9


def test_a_prediction_keeps_the_question_and_reads_it_in_either_placement(data, mixed):
    asked = ["Hoạ sĩ vẽ vật gì?", "Họa sĩ vẽ vật gì?", "HO\u0323A SI\u0303 vẽ vật gì?"]
    images = sorted((data / "images").glob("5?.png"))
    pictures = [PictureFile(image.name, image) for image in images]
    found = list(predict(load_model(mixed), Asking(pictures, asked)))
    assert [one.question for one in found] == asked * len(images)
    assert {one.note for one in found} == {""}
    for start in range(0, len(found), len(asked)):
        assert len({one.answer for one in found[start : start + len(asked)]}) == 1
    assert {one.answer for one in found} <= {"toà nhà", "tàu thuỷ", "chìa khoá", "hoa hoè"}


def test_a_run_that_began_without_the_spelling_goes_on_without_it(data, plain, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(plain, run)
    _name_language(run)
    config = read_config(run)
    assert config.text.language == "vi"
    resume(run, config.replace("stages", full=3), Recorder())
    assert records_of(run)[:-1] == records_of(plain)
    assert len(records_of(run)) == 5
    assert load_checkpoint(run / "last").model["schema"] == SCHEMA
    assert load_model(run).scoring_settings(batch_size=1).language == ""
    ours, theirs = (scored(one, data / "val-new.csv").result for one in (run, plain))
    assert ours.priors == theirs.priors
    assert ours.seen_answers.upper_bound == theirs.seen_answers.upper_bound
    assert "tòa nhà" in read_training_answers(run)


def _name_language(run: Path) -> None:
    """Let a run be one of a version that knew the key, and no spelling of Vietnamese."""
    for path in (run / "config.toml", *run.glob("checkpoints/*/*.json")):
        if path.name != "sums.json":
            text = path.read_text(encoding="utf-8").replace('"language": ""', '"language": "vi"')
            for quote in ('"', '\\"'):
                text = text.replace(f"language = {quote}{quote}", f"language = {quote}vi{quote}")
            replace_summed({path: text.encode()})
