from dataclasses import replace

from latentvqa.core.diagnosis.tuning_events import (
    events_of,
    pending_change,
    tuned_header,
    tuned_values,
)
from latentvqa.core.records import TuningEvent
from tests.runs import HEADER, make_run

LESS_KL = TuningEvent(5, "change", "KL010", "kl.factor", 0.2, 0.15, 0.9)
EVEN_LESS = replace(LESS_KL, epoch=10, before=0.15, after=0.11)
UNDONE = replace(EVEN_LESS, epoch=13, action="undo", before=0.11, after=0.15)
KEPT = replace(LESS_KL, epoch=8, action="keep")


def tuned(*events):
    held = {event.epoch: event for event in events}
    return [replace(record, tuning=held.get(record.epoch)) for record in make_run(15)]


def test_events_come_in_order():
    assert list(events_of(tuned(LESS_KL, KEPT))) == [LESS_KL, KEPT]
    assert list(events_of(tuned())) == []


def test_a_change_is_pending_until_it_is_kept_or_undone():
    assert pending_change(tuned(LESS_KL)) == LESS_KL
    assert pending_change(tuned(LESS_KL, KEPT)) is None
    assert pending_change(tuned(LESS_KL, KEPT, EVEN_LESS)) == EVEN_LESS


def test_an_undone_change_gives_way_to_the_value_before_it():
    assert tuned_values(tuned(LESS_KL, KEPT, EVEN_LESS)) == {"kl.factor": 0.11}
    assert tuned_values(tuned(LESS_KL, KEPT, EVEN_LESS, UNDONE)) == {"kl.factor": 0.15}


def test_a_header_is_as_if_the_run_had_begun_with_its_present_values():
    longer = replace(LESS_KL, key="kl.warmup_epochs", before=15.0, after=30.0)
    header = tuned_header(HEADER, tuned(longer, EVEN_LESS))
    assert (header.warmup_epochs, header.kl.factor) == (30, 0.11)
    assert tuned_header(HEADER, tuned()) is HEADER
