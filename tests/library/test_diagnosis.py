"""``latentvqa.read_log`` and ``latentvqa.diagnose``."""

import pytest

import latentvqa
from latentvqa.history import read_history
from tests.runs import HEADER, make_run


def test_a_diagnosis_of_a_folder_or_its_log_is_that_of_the_run(run):
    history = latentvqa.read_log(run.folder)
    assert history.records == read_history(run.folder).records
    expected = run.diagnosis
    for found in (
        latentvqa.diagnose(run.folder),
        latentvqa.diagnose(str(run.folder / "metrics.jsonl")),
        latentvqa.diagnose(history),
    ):
        assert (found.verdict, found.findings) == (expected.verdict, expected.findings)
    use = run.evaluation.result.latent_use
    assert use.verdict.sentence in expected.verdict.sentence
    alone = latentvqa.diagnose(run.records, header=run.header)
    assert use.verdict.sentence not in alone.verdict.sentence
    assumed = latentvqa.diagnose(run.records)
    assert any("Assumed" in note for note in assumed.notes)
    with pytest.raises(latentvqa.HistoryError):
        latentvqa.diagnose(run.folder / "absent")
    for call in (latentvqa.diagnose, latentvqa.read_log):
        with pytest.raises(latentvqa.ConfigError, match="kl_health"):
            call(run.folder, overrides=["kl_health.nonsense=1"])


def test_epochs_alone_are_judged_without_a_folder():
    sick = {"information_bound": 0.5, "answer_gain": 0.1}
    found = latentvqa.diagnose(make_run(20, val=sick), header=HEADER)
    assert found.verdict.code == "collapse"
    assert latentvqa.diagnose(make_run(20), header=HEADER).verdict.code == "ok"
    lower = [f"kl_health.{name}=0.04" for name in ("high_kl", "high_kl_late", "high_kl_stuck")]
    strict = latentvqa.diagnose(
        make_run(20), header=HEADER, overrides=[*lower, "kl_health.healthy_kl_high=0.04"]
    )
    assert "kl_high" in {finding.name for finding in strict.findings}


def test_a_table_of_another_tool_is_read_with_the_names_that_are_given(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("epoch,q_kl,answer_loss\n0,0.5,1.5\n1,0.25,1.25\n")
    history = latentvqa.read_log(log, maps=["kl_raw=q_kl"], overrides=["kl.free_bits=0.1"])
    assert [record.train.kl_raw for record in history.records] == [0.5, 0.25]
    assert history.header.kl.free_bits == 0.1
    with pytest.raises(latentvqa.ConfigError):
        latentvqa.read_log(log, maps=["kl_row=q_kl"])
