from dataclasses import replace

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.records import KLConvention, RunHeader
from tests.runs import HEADER, KL, make_run


def test_a_healthy_run_is_ok_with_its_numbers():
    diagnosis = diagnose(HEADER, make_run(20))
    assert diagnosis.verdict.level == "ok"
    assert diagnosis.verdict.code == "ok"
    assert diagnosis.verdict.sentence == (
        "1.6 of the 1.7 nats that the answers need are learnt, 1 of them by the image; the latent "
        "can carry up to 5.3 at t = 0.5. The loss pays for 19.2."
    )
    assert [finding.name for finding in diagnosis.findings] == ["kl_targets"]
    assert not diagnosis.is_at_least("info")
    assert "latentvqa evaluate RUN" in diagnosis.next_step.sentence


def test_the_runs_of_the_prototype_are_info_though_every_kl_check_complains():
    wide = {"information_bound": 76.0, "rate": 33.5, "answer_gain": 1.68}
    records = make_run(22, train={"kl_raw": 0.087, "kl_after": 0.0}, val=wide)
    diagnosis = diagnose(HEADER, records)
    assert (diagnosis.verdict.level, diagnosis.verdict.code) == ("info", "pinned")
    for part in ("1.68 of the 1.7", "pays for 33.5", "up to 5.3 at t = 0.5", "(harmless)"):
        assert part in diagnosis.verdict.sentence
    assert not diagnosis.is_at_least("warning")
    assert all(finding.advice is None for finding in diagnosis.findings)


def test_a_finding_that_no_longer_holds_is_past_and_does_not_count():
    records = make_run(
        20, lambda n: {"val": {"information_bound": 0.5, "answer_gain": 0.1} if n in (6, 7) else {}}
    )
    diagnosis = diagnose(HEADER, records)
    collapse = next(f for f in diagnosis.findings if f.name == "collapse")
    assert (collapse.level, collapse.epochs, collapse.is_open) == ("critical", (6, 7), False)
    assert diagnosis.verdict.level == "ok"
    assert not diagnosis.is_at_least("critical")


def test_an_early_fault_waits_for_more_epochs_and_stays_known_when_it_is_gone():
    sick = {"information_bound": 0.5, "answer_gain": 0.1}
    records = make_run(20, lambda n: {"val": sick if n < 4 else {}})
    early = diagnose(HEADER, records[:2])
    assert (early.verdict.level, early.verdict.code) == ("info", "collapse")
    assert "Too early to judge (after 2 of 50 epochs). So far" in early.verdict.sentence
    assert early.next_step.sentence.startswith("Let the run go on")
    assert not early.is_at_least("warning")
    later = next(f for f in diagnose(HEADER, records).findings if f.name == "collapse")
    assert (later.level, later.is_open, later.is_early) == ("warning", False, False)
    assert later.sentence.startswith("So far")


def test_a_past_remark_is_forgotten():
    records = make_run(20, lambda n: {"kl_weight": float(min(n, 15))})
    assert all(f.name != "not_warmed_up" for f in diagnose(HEADER, records).findings)


def test_the_latest_stretch_of_epochs_is_reported():
    sick = {"information_bound": 0.5, "answer_gain": 0.1}
    records = make_run(20, lambda n: {"val": sick if n in (6, 7) or n >= 17 else {}})
    collapse = next(f for f in diagnose(HEADER, records).findings if f.name == "collapse")
    assert (collapse.epochs, collapse.is_open) == ((17, 19), True)


def test_a_log_without_epochs_is_critical():
    diagnosis = diagnose(HEADER, [])
    assert (diagnosis.verdict.level, diagnosis.verdict.code) == ("critical", "no_epochs")
    assert diagnosis.is_at_least("critical")
    assert diagnosis.next_step.sentence == "Let an epoch finish."
    assert [(f.code, f.epochs, f.is_open) for f in diagnosis.findings] == [("LG001", (0, 0), True)]


def test_assumptions_and_notes_are_told():
    header = RunHeader(kl=KLConvention(is_assumed=True))
    notes = diagnose(header, make_run(3), notes=("Line 4 is cut.",)).notes
    assert notes[0] == "Line 4 is cut."
    assert notes[1].startswith("Assumed, because the log does not say: mean reduction over 6 x 256")


def test_records_may_come_in_any_order():
    records = make_run(20)
    assert diagnose(HEADER, records[::-1]) == diagnose(HEADER, records)


@pytest.mark.parametrize("bottleneck", ["deterministic", "none"])
def test_a_control_without_kl_is_ok_when_it_learns(bottleneck):
    header = replace(HEADER, kl=replace(KL, bottleneck=bottleneck))
    bare = {"kl_raw": None, "kl_after": None, "rate": None}
    records = make_run(20, train=bare, val={**bare, "information_bound": None})
    verdict = diagnose(header, records).verdict
    assert verdict.level == "ok"
    assert "no KL to judge" in verdict.sentence
    assert "1.6 are learnt" in verdict.sentence


def test_the_baseline_stage_has_no_kl_to_judge():
    records = make_run(3, stage="baseline", train={"kl_raw": 0.5})
    assert all(not f.code.startswith("KL") for f in diagnose(HEADER, records).findings)
