"""Runs with pretrained language at either end, from the first step to an answer."""

import shutil

import pytest
import timm
import torch
from safetensors.torch import save_file

from latentvqa.config import load_config
from latentvqa.data.folders.pictures import find_pictures
from latentvqa.data.scenes.questions import PHRASINGS
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import predict
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import ConfigError
from tests.language_models import CAUSAL, ENCODERS, PAIRS, PLAIN, write_language_model
from tests.small_runs import (
    BRIEF,
    Interrupter,
    assert_same_run,
    interrupted,
    small_config,
    train_small,
    write_images,
    write_rows,
)

COLOURS = ("red", "green", "blue", "orange", "grey", "yellow")
WORDS = [
    text.format(colour) for texts in PHRASINGS.values() for text in texts for colour in COLOURS
]
SPOKEN = [*WORDS, "yes no circle rectangle triangle 1 2 3"]
ENDS = [(family, None) for family in ENCODERS] + [(family, family) for family in PAIRS]
ENDS += [("bert", family) for family in CAUSAL]
ENDS += [("phobert", None), ("bartpho-syllable", "bartpho-syllable"), ("phobert", "bartpho-word")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}

    def folder(family):
        if family not in made:
            place = tmp_path_factory.mktemp(family)
            made[family] = write_language_model(family, place, SPOKEN)
        return made[family]

    return folder


def changes_of(folders, encoder, decoder, *more):
    changes = [*BRIEF, f"text.encoder={folders(encoder)}", "text.max_answer_tokens=12"]
    if decoder is not None:
        changes.append(f"text.decoder={folders(decoder)}")
    return [*changes, *more]


@pytest.mark.parametrize(("encoder", "decoder"), ENDS)
def test_it_trains_goes_on_after_a_stop_and_answers(folders, tmp_path, encoder, decoder):
    changes = changes_of(folders, encoder, decoder)
    whole = train_small(tmp_path / "whole", *changes)
    with interrupted():
        stopped = tmp_path / "stopped"
        config = small_config(*changes)
        train(config, stopped, Interrupter("epoch 1", 2))
    resume(stopped, None, Observer())
    assert_same_run(stopped, whole.run)

    loaded = load_model(whole.run)
    table = validation_table(whole.run)
    found = evaluate(loaded, table, Observer(), run=whole.run, latent_use="short")
    assert len(found.answers) == len(table)
    assert found.result.latent_use is not None
    folder = write_images(tmp_path / "images", 2)
    pictures = find_pictures([folder]).pictures
    rows = list(predict(loaded, Asking(pictures, ["What shape is the red object?"])))
    assert [row.error for row in rows] == ["", ""]


def test_the_preset_for_vivqa_trains_on_a_table_of_its_layout(tmp_path):
    asked = ("con mèo màu gì ?", "có bao nhiêu người ?", "con thuyền ở đâu ?", "ai đang ngồi ?")
    answers = ("màu đỏ", "hai", "trên biển", "cô gái")
    towers = write_language_model("bartpho-syllable", tmp_path / "bartpho", asked + answers)
    weights = tmp_path / "tower.safetensors"
    save_file(timm.create_model("test_vit", pretrained=False).state_dict(), weights)
    images = write_images(tmp_path / "images", 12)
    rows = [
        (str(kind * 12 + image), asked[kind], answers[kind], str(image), str(kind))
        for kind in range(4)
        for image in range(12)
    ]
    table = write_rows(tmp_path / "train.csv", rows, ",question,answer,img_id,type")
    config = load_config(
        preset="vivqa-bartpho",
        overrides=[
            *(f"data.train={table}", f"data.images={images}", "data.val_fraction=0.25"),
            *("vision.name=test_vit", f"vision.pretrained={weights}", "vision.image_size=128"),
            *(f"text.encoder={towers}", f"text.decoder={towers}"),
            *("stages.warmup=1", "stages.full=1", "run.threads=1"),
        ],
    )
    run = tmp_path / "run"
    done = train(config, run, Observer())
    assert len(done.records) == 2
    assert any("lora_" in name for name in load_checkpoint(run / "last").weights)
    loaded = load_model(run)
    found = evaluate(loaded, validation_table(run), Observer(), run=run)
    assert {"0", "1", "2", "3"} == set(found.result.types)


@pytest.mark.parametrize("family", ["bart", "bartpho-syllable", "bartpho-word"])
def test_a_run_needs_its_language_models_no_more(folders, tmp_path, family):
    place = shutil.copytree(folders(family), tmp_path / family)
    changes = [
        *BRIEF,
        f"text.encoder={place}",
        f"text.decoder={place}",
        "text.max_answer_tokens=12",
    ]
    run = train_small(tmp_path / "run", *changes).run
    shutil.rmtree(place)
    loaded = load_model(run)
    assert loaded.spec.question_model.shape["model_type"] == PLAIN.get(family, (family,))[0]
    longer = read_config(run)
    resume(run, longer.replace("stages", full=2), Observer())


def test_a_frozen_language_model_is_as_it_was_and_a_trained_one_is_not(folders, tmp_path):
    runs = {
        layers: train_small(
            tmp_path / str(layers),
            *changes_of(folders, "bert", None, f"text.trained_layers={layers}"),
        ).run
        for layers in (0, 1)
    }
    frozen, trained = (load_checkpoint(run / "last").weights for run in runs.values())
    fresh = load_checkpoint(runs[0] / "best").weights
    names = [name for name in frozen if name.startswith("question.backbone.")]
    assert names
    assert all(torch.equal(frozen[name], fresh[name]) for name in names)
    moved = {name for name in names if not torch.equal(frozen[name], trained[name])}
    assert moved
    assert all(".layer.1." in name for name in moved)


@pytest.mark.parametrize(
    ("files", "said"),
    [([], "cannot be read as a model"), (["config.json"], "holds no weights")],
)
def test_a_folder_that_is_no_model_is_a_fault_of_the_configuration(folders, tmp_path, files, said):
    place = tmp_path / "model"
    place.mkdir()
    for name in files:
        shutil.copy(folders("bert") / name, place)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folders("bert") / name, place)
    with pytest.raises(ConfigError, match=said):
        train_small(tmp_path / "run", *BRIEF, f"text.encoder={place}")
    assert not (tmp_path / "run").exists()
