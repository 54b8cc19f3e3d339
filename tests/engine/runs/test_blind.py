import shutil

import pytest

from latentvqa.data.batches import EncodedTable
from latentvqa.data.blind.models import PRIOR
from latentvqa.data.blind.rows import blind_rows
from latentvqa.engine.runs.blind import (
    blind_models_of,
    fit_to_training_rows,
    read_blind_models,
    write_blind_models,
)
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.errors import CheckpointError
from tests.data.audit.made_tables import read, tokenizers_of


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished.run, tmp_path / "run")


def test_what_is_written_to_a_run_reads_back_and_answers_alike(run, tmp_path):
    rows = [("a.png", "q?", "the cat"), ("b.png", "q?", "cat"), ("c.png", "q?", "dog")]
    table = read(tmp_path, rows)
    tokenizers = tokenizers_of(table)
    encoded = EncodedTable(table, tokenizers, 9, 4)
    models = fit_to_training_rows(encoded, tokenizers.answer.size, "en")
    write_blind_models(run, models)
    back = read_blind_models(run)
    asked = blind_rows(encoded, "en")
    # with English rules the two spellings are one answer
    assert back.answers(asked)[PRIOR] == models.answers(asked)[PRIOR] == ["cat"] * 3


def test_damaged_models_are_named(run):
    (run / "blind.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"blind\.json is damaged"):
        read_blind_models(run)


@pytest.mark.parametrize("loss", ["absent", "damaged"])
def test_models_that_a_run_lost_are_fitted_anew_as_they_were(run, loss):
    loaded = load_model(run)
    spec = loaded.spec
    table = validation_table(run)
    encoded = EncodedTable(
        table, loaded.tokenizers, spec.max_question_tokens, spec.max_answer_tokens
    )
    rows = blind_rows(encoded)
    kept = blind_models_of(run, loaded, "")
    expected = kept.nats(rows)
    if loss == "absent":
        (run / "blind.json").unlink()
        assert read_blind_models(run) is None
    else:
        (run / "blind.json").write_text("{")
    found = blind_models_of(run, loaded, "").nats(rows)
    assert found.keys() == expected.keys()
    for name, nats in found.items():
        assert nats == pytest.approx(expected[name]), name
