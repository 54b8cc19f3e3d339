from dataclasses import replace

from latentvqa.report.diagnosis.judged_run import distinct_names
from tests.report.diagnosis.judged import judged
from tests.runs import make_run


def test_a_run_without_a_name_is_named_by_its_folder():
    run = judged([], name="")
    run = replace(run, history=replace(run.history, path=run.history.path.parent / "a" / "m.jsonl"))
    assert run.name == "a"


def test_only_runs_that_share_a_name_are_named_by_their_folder():
    runs = [judged([], name="x"), judged([], name="x"), judged([], name="y")]
    assert distinct_names(runs) == ["runs/x", "runs/x", "y"]


def test_the_last_epoch_is_the_last_of_the_log():
    assert judged(make_run(3)).last.epoch == 2
    assert judged([]).last is None
