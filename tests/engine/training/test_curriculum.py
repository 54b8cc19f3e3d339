import numpy as np
import pytest

from latentvqa.config import load_config
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.runtime.signals import Interrupted
from latentvqa.engine.training.curriculum import first_rows
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import ConfigError, DataError
from tests.small_runs import Interrupter, assert_same_run, small_config, train_small

FIRST = ('data.first_types=["shape", "left"]', "data.first_epochs=2")


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    return train_small(tmp_path_factory.mktemp("staged") / "run", *FIRST)


def test_the_first_epochs_ask_the_named_types_alone(staged):
    rows = [record.train.rows for record in staged.outcome.records]
    assert rows == [144, 144, 288, 288]  # two of the four families of the easy scenes
    entropies = [record.train.answer_entropy for record in staged.outcome.records]
    assert entropies[0] == pytest.approx(2 * np.log(2), abs=0.05)  # circle, square, yes, no
    assert entropies[0] < entropies[2] == entropies[3]


def test_validation_always_asks_everything(staged):
    assert {record.val.rows for record in staged.outcome.records} == {32}


def test_an_interrupted_run_resumes_its_order_of_questions(staged, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(Interrupted):
        train(small_config(*FIRST), run, Interrupter("epoch 1", 2))
    resume(run, None, Observer())
    assert_same_run(run, staged.run)


def test_the_chosen_rows_are_those_of_the_types(finished):
    table = validation_table(finished.run)
    data = small_config('data.first_types=["top"]', "data.first_epochs=1").data
    rows = first_rows(data, table)
    assert {table.types[row] for row in rows} == {"top"}
    assert len(rows) == table.types.count("top")


def test_unknown_types_are_named_beside_the_known_ones(finished):
    data = small_config('data.first_types=["colour", "top"]', "data.first_epochs=1").data
    with pytest.raises(DataError, match=r"the type 'colour' in .*It has 'count', 'left'"):
        first_rows(data, validation_table(finished.run))


@pytest.mark.parametrize(
    ("given", "missing"),
    [('data.first_types=["a"]', "data.first_epochs"), ("data.first_epochs=3", "data.first_types")],
)
def test_one_key_without_the_other_is_a_fault(given, missing):
    with pytest.raises(ConfigError, match=f"{missing}.*is missing"):
        load_config(None, overrides=["data.scenes=easy", given])
