"""``latentvqa.evaluate``: on the validation split and on a table of one's own."""

import shutil
import signal

import pytest

import latentvqa
from tests.small_runs import Interrupter, read_csv


def test_an_evaluation_is_returned_and_written(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    found = latentvqa.evaluate(folder)
    assert found.result.metrics == run.evaluation.result.metrics
    data = run.folder / "data"
    table = tmp_path / "mine.csv"
    table.write_text((data / "questions.csv").read_text().replace("image,", "picture,", 1))
    columns = {"image": "picture"}
    other = latentvqa.evaluate(folder, table, data / "images", columns=columns, latent_use=True)
    assert other.result.latent_use is not None
    assert len(other.answers) == len(read_csv(table))
    assert (folder / "evaluations" / "mine" / "evaluation.json").is_file()
    with pytest.raises(latentvqa.ConfigError, match="belongs to a table"):
        latentvqa.evaluate(folder, columns=columns)
    with pytest.raises(latentvqa.DataError, match="images cannot be used"):
        latentvqa.evaluate(folder, images=data)


def test_a_terminated_evaluation_is_an_exit_and_a_run_can_be_extended(run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    with pytest.raises(SystemExit) as leaving:
        latentvqa.evaluate(folder, observer=Interrupter("questions", 1, signal.SIGTERM))
    assert leaving.value.code == 143
    assert len(latentvqa.resume(folder, overrides=["stages.full=2"]).records) == 3
