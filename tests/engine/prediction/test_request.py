"""A hash that tells works apart by all that their rows depend on."""

from dataclasses import replace

import numpy as np
import pytest

from latentvqa.data.folders.pictures import PictureFile
from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import PredictionSettings
from latentvqa.engine.prediction.request import request_hash
from latentvqa.engine.runs.loading import load_model

PAIRS = np.array([[0, 0], [1, 0]])
ASKING = Asking(
    [PictureFile("a.png", "x"), PictureFile("b\udcff.png", "x")], ["what?"], PAIRS, ["1", "2"]
)


@pytest.fixture(scope="module")
def loaded(finished):
    return load_model(finished.run)


def hash_of(loaded, asking=ASKING, rows=range(2), style="csv", **settings):
    return request_hash(loaded, asking, rows, PredictionSettings(**settings), style)


def test_the_same_work_has_the_same_hash_wherever_its_pictures_lie(loaded, finished):
    moved = replace(ASKING, pictures=[replace(one, path="y") for one in ASKING.pictures])
    assert hash_of(loaded) == hash_of(load_model(finished.run), moved)


def test_whatever_changes_a_row_changes_the_hash(loaded):
    asked = {
        "pictures": ASKING.pictures[::-1],
        "questions": ["who?"],
        "pairs": PAIRS[::-1],
        "ids": ["1", "3"],
    }
    hashes = [
        hash_of(loaded),
        *(hash_of(loaded, replace(ASKING, **{key: value})) for key, value in asked.items()),
        hash_of(loaded, rows=range(1)),
        hash_of(loaded, style="jsonl"),
        hash_of(loaded, samples=2),
        hash_of(loaded, top=2),
        hash_of(loaded, answers=["yes"]),
        hash_of(replace(loaded, facts={**loaded.facts, "seed": -1})),
    ]
    assert len(set(hashes)) == len(hashes)
