import json

import pytest

from latentvqa.engine.runs.evaluations import evaluation_folder, read_evaluation
from latentvqa.errors import CheckpointError
from latentvqa.sums import DamagedFileError, replace_summed


def written(folder, table):
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(json.dumps({"table": str(table)}))


@pytest.mark.parametrize("name", ["..csv", "...csv", "....csv"])
def test_a_table_named_by_dots_stays_inside(tmp_path, name):
    assert evaluation_folder(tmp_path, tmp_path / name) == tmp_path / "evaluations" / "table"


def test_results_on_tables_of_one_name_do_not_overwrite_each_other(tmp_path):
    run, one, other = tmp_path / "run", tmp_path / "a" / "test.csv", tmp_path / "b" / "test.csv"
    first = evaluation_folder(run, one)
    assert first == run / "evaluations" / "test"
    written(first, one)
    second = evaluation_folder(run, other)
    assert second == run / "evaluations" / "test-2"
    written(second, other)
    assert evaluation_folder(run, one) == first
    assert evaluation_folder(run, other) == second


def test_the_splits_place_belongs_to_no_table(tmp_path):
    folder = evaluation_folder(tmp_path, tmp_path / "validation.csv")
    assert folder == tmp_path / "evaluations" / "validation-2"
    assert evaluation_folder(tmp_path) == tmp_path / "evaluations" / "validation"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"table": '])
def test_results_that_cannot_be_read_give_way(tmp_path, content):
    folder = tmp_path / "evaluations" / "test"
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(content)
    assert evaluation_folder(tmp_path, tmp_path / "test.csv") == folder


def test_damaged_results_do_not_give_way_to_those_on_another_table(tmp_path):
    folder, table = tmp_path / "evaluations" / "test", tmp_path / "test.csv"
    folder.mkdir(parents=True)
    path = folder / "evaluation.json"
    replace_summed({path: json.dumps({"table": str(table)}).encode()})
    assert evaluation_folder(tmp_path, table) == folder
    path.write_text(json.dumps({"table": f"{table}x"}))
    assert evaluation_folder(tmp_path, table).name == "test-2"
    with pytest.raises(DamagedFileError, match=r"evaluation\.json is damaged.*latentvqa evaluate"):
        read_evaluation(folder)


def test_results_of_a_newer_version_are_refused(tmp_path):
    replace_summed({tmp_path / "evaluation.json": b'{"schema": 5}'})
    with pytest.raises(CheckpointError, match=r"newer LatentVQA \(format 5"):
        read_evaluation(tmp_path)
