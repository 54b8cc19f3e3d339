import time
from dataclasses import replace

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.judgements import Judgements
from latentvqa.core.rules.catalogue import RULES
from latentvqa.core.rules.rule import views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.runs import HEADER, make_run

SICK = {"information_bound": 0.5, "answer_gain": 0.1}


def changing_run(epochs):
    return make_run(epochs, lambda n: {"val": SICK if n in (6, 7) or n >= 17 else {}})


def test_a_run_judged_epoch_by_epoch_is_judged_as_a_whole():
    records, kept = changing_run(25), Judgements()
    for done in range(1, len(records) + 1):
        found = diagnose(HEADER, records[:done], earlier=kept)
        assert found == diagnose(HEADER, records[:done])


def test_what_was_said_of_other_records_limits_or_headers_is_forgotten():
    records, kept, strict = changing_run(25), Judgements(), KLHealthThresholds(early_epoch=3)
    diagnose(HEADER, records, earlier=kept)
    healthy = make_run(25)
    mixed = [*records[:5], *healthy[5:]]
    assert diagnose(HEADER, mixed, earlier=kept) == diagnose(HEADER, mixed)
    assert diagnose(HEADER, mixed, strict, earlier=kept) == diagnose(HEADER, mixed, strict)
    other = replace(HEADER, warmup_epochs=9)
    assert diagnose(other, mixed, strict, earlier=kept) == diagnose(other, mixed, strict)
    assert diagnose(other, mixed[:3], strict, earlier=kept) == diagnose(other, mixed[:3], strict)


def test_an_epoch_more_costs_one_epoch():
    records, kept = make_run(400), Judgements()
    limits = KLHealthThresholds()
    whole = views(HEADER, records, limits)
    start = time.perf_counter()
    kept.of(RULES, whole[:-1])
    first = time.perf_counter() - start
    start = time.perf_counter()
    kept.of(RULES, whole)
    assert time.perf_counter() - start < first / 4
