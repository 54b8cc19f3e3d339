"""The runs below a folder."""

import shutil

from latentvqa.engine.run_report.listing import listed_runs


def test_runs_are_listed_with_scores_and_verdicts(cli, finished, tmp_path):
    shutil.copytree(finished.run, tmp_path / "runs" / "a" / "first")
    broken = tmp_path / "runs" / "b"
    broken.mkdir()
    (broken / "metrics.jsonl").write_text("junk")
    done = cli("runs", tmp_path / "runs")
    assert done.code == 0
    (run,) = listed_runs(tmp_path / "runs").runs
    assert run.folder == tmp_path / "runs" / "a" / "first"
    assert run.epochs == len(finished.outcome.records) and run.verdict
    assert "warning: " in done.err and str(broken) in done.err


def test_no_folder_and_no_run_are_told(cli, tmp_path):
    assert "no such folder" in cli("runs", tmp_path / "none").err
    done = cli("runs", tmp_path)
    assert done.code == 1 and "no run in it" in done.err
