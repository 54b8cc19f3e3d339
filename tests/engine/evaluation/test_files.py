import json
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.evaluation.files import evaluation_json, write_evaluation
from latentvqa.engine.runs.evaluations import read_evaluation
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer


@pytest.fixture(scope="module")
def found(finished):
    table = validation_table(finished.run)
    loaded = load_model(finished.run)
    return evaluate(loaded, table, Observer(), run=finished.run, latent_use="full")


def test_what_is_written_reads_back_as_the_same_value(found):
    text = json.dumps(evaluation_json(found.result), allow_nan=False)
    assert TypeAdapter(EvaluationResult).validate_json(text) == found.result


def test_the_keys_of_the_file_are_those_of_schema_1(found):
    written = json.loads(json.dumps(evaluation_json(found.result)))
    assert list(written) == [
        *("schema", "run", "checkpoint", "table", "questions", "images", "language", "metrics"),
        *("protocols", "losses", "priors", "types", "seen_answers", "confidence", "latent_use"),
        *("questions_cut", "questions_with_unknown_words"),
    ]
    assert list(written["confidence"]["accuracy_at_coverage"]) == ["0.5", "0.8", "0.9"]
    assert list(written["confidence"]["coverage_at_risk"]) == ["0.01", "0.05"]
    use = written["latent_use"]
    assert list(use["mutual_information"]) == [
        *("value", "log_n", "n", "temperature", "is_at_ceiling", "estimator", "bias")
    ]
    assert len(use["attention"]["mean"]) == len(use["token_ranking"]) == 6


def test_an_earlier_examination_of_the_same_answers_is_kept_and_no_other(tmp_path, found):
    write_evaluation(found, tmp_path)
    plain = replace(found, result=replace(found.result, latent_use=None), examination=None)
    write_evaluation(plain, tmp_path)
    path = tmp_path / "evaluation.json"
    kept = TypeAdapter(EvaluationResult).validate_json(path.read_bytes())
    assert kept.latent_use == found.result.latent_use
    other = replace(plain, result=replace(plain.result, checkpoint="another"))
    write_evaluation(other, tmp_path)
    assert json.loads(path.read_text())["latent_use"] is None
    assert not (tmp_path / "attention.npz").exists()


def test_a_table_whose_name_is_no_text_is_named_all_the_same(tmp_path, found):
    result = replace(found.result, table="/bad\udcff/t.csv")
    write_evaluation(replace(found, result=result), tmp_path)
    assert read_evaluation(tmp_path)["table"] == "/bad\udcff/t.csv"


@pytest.mark.parametrize("linked", ["evaluations", "evaluations/t"])
def test_no_folder_is_written_through_a_link(tmp_path, found, linked):
    (tmp_path / "theirs" / "t").mkdir(parents=True)
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="is a link"):
        write_evaluation(found, tmp_path / "evaluations" / "t")
    assert [path.name for path in (tmp_path / "theirs").rglob("*")] == ["t"]
