from hypothesis import given
from hypothesis import strategies as st

from latentvqa.logs.notes import MOST_CHARACTERS, MOST_NOTES, Notes, listed


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=3)), max_size=40))
def test_there_are_never_too_many_and_no_fault_is_lost_uncounted(said):
    notes = Notes()
    faults = 0
    for is_fault, text in said:
        (notes.fault if is_fault else notes.add)(f"{'fault' if is_fault else 'remark'} {text}")
        faults += is_fault
    sentences = notes.sentences()
    assert len(sentences) <= MOST_NOTES
    shown = sum(sentence.startswith("fault") for sentence in sentences)
    more = [sentence for sentence in sentences if sentence.startswith("And ")]
    remarks = {sentence for sentence in sentences if sentence.startswith("remark")}
    if len(remarks) < MOST_NOTES:  # there is room to say of the rest
        assert more == (
            [f"And {faults - shown} more faults of this kind."] if faults > shown else []
        )


def test_remarks_come_first_and_once():
    notes = Notes()
    notes.fault("torn")
    notes.add("assumed")
    notes.add("assumed")
    assert notes.sentences() == ("assumed", "torn")
    assert notes.first_fault == "torn"
    assert Notes().first_fault == ""


def test_what_a_file_holds_steers_no_terminal_and_stays_short():
    notes = Notes()
    notes.add("a\x1b[2Jb\n")
    notes.add("x" * 1000)
    first, second = notes.sentences()
    assert first == r"a\x1b[2Jb\n"
    assert len(second) == MOST_CHARACTERS
    assert second.endswith(" ...")


def test_a_list_is_cut_where_it_is_long():
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcd"), most=3) == "a, b, c and 1 more"
