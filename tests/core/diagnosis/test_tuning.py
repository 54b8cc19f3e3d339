from dataclasses import replace

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.tuning import tuning_step
from latentvqa.core.diagnosis.tuning_events import tuned_header, tuned_values
from tests.runs import HEADER, KL, make_epoch, make_run

DEAR = replace(HEADER, kl=replace(KL, factor=20.0))


def stuck(n):
    """Training goes on, validation stands still; the latent carries nothing."""
    best = 1.0 if n < 3 else 0.9
    unlearnt = {"answer_gain": 0.05, "information_bound": 0.3}
    return {
        "train": {"answer_loss": 0.9 * 0.97**n},
        "val": {"answer_loss": best, **unlearnt},
    }


def run_on(records, epochs, vary=stuck, header=DEAR):
    """Let a run go on, tuned after every epoch."""
    for n in range(len(records), len(records) + epochs):
        record = make_epoch(n, **vary(n))
        event = tuning_step(header, [*records, record])
        records = [*records, replace(record, tuning=event)]
    return records


def events(records):
    return [(r.tuning.epoch, r.tuning.action, r.tuning.key) for r in records if r.tuning]


def test_nothing_is_changed_in_a_healthy_run():
    assert events(run_on([], 30, vary=lambda n: {})) == []


def test_a_change_waits_for_a_decision_epoch_and_is_undone_without_effect():
    records = run_on([], 9)
    assert events(records) == [(5, "change", "kl.factor"), (8, "undo", "kl.factor")]
    assert records[5].tuning.rule == "IN002"
    assert tuned_values(records[:7]) == {"kl.factor": 0.26}
    assert tuned_values(records) == {}


def test_a_change_that_helps_is_kept():
    def helped(n):
        return stuck(n) if n < 7 else {**stuck(n), "val": {**stuck(n)["val"], "answer_loss": 0.7}}

    records = run_on([], 9, vary=helped)
    assert events(records)[-1] == (8, "keep", "kl.factor")
    assert records[-1].tuning.best_before == 0.9
    assert records[-1].tuning.best_after == 0.7
    assert tuned_header(DEAR, records).kl.factor == 0.26


def test_one_change_at_a_time_and_an_undone_one_is_not_tried_again():
    records = run_on([], 40)
    pending = 0
    for _, action, _ in events(records):
        pending += 1 if action == "change" else -1
        assert pending in (0, 1)
    tried = [(r.tuning.key, r.tuning.after) for r in records if r.tuning]
    tried = tried[::2]  # a change and its undoing take turns
    assert tried == [("kl.factor", 0.26)]


def test_advice_that_information_contradicts_is_never_applied():
    """Pinned, reduction 100 %, KL share high: but the answers are learnt."""

    def well(n):
        return {
            "train": {
                "kl_raw": 0.09,
                "kl_after": 0.0,
                "kl_share": 0.5,
                "answer_loss": 0.5 * 0.9**n,
            },
            "val": {"answer_loss": 0.2, "answer_gain": 1.6},
        }

    assert events(run_on([], 30, vary=well)) == []


def test_a_collapse_goes_first():
    def gone(n):
        return {"val": {"information_bound": 0.1, "answer_gain": 0.0, "answer_loss": 1.0}}

    assert events(run_on([], 12, vary=gone))[0] == (5, "change", "kl.factor")


def test_rules_judge_by_the_present_values():
    records = run_on([], 7)
    untuned = [replace(record, tuning=None) for record in records]
    strained, eased = (
        next(f for f in diagnose(DEAR, past).findings if f.name == "collapse")
        for past in (untuned, records)
    )
    assert (strained.advice.before, strained.advice.after) == (20.0, 0.26)
    assert eased.advice is None  # as far as it goes


def test_the_decision_needs_only_the_records():
    records = run_on([], 25)
    for n in range(1, 25):
        again = tuning_step(DEAR, [*records[: n - 1], replace(records[n - 1], tuning=None)])
        assert again == records[n - 1].tuning


def test_a_run_without_validation_is_left_alone():
    records = make_run(11, val={"answer_loss": None})
    assert tuning_step(DEAR, records) is None
