import json
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.records import KLConvention, RunHeader
from latentvqa.errors import HistoryError
from latentvqa.history import (
    LOG_NAME,
    SET_ASIDE_NAME,
    append_record,
    read_history,
    reconcile,
    write_header,
)
from latentvqa.log_lines import epoch_line, header_line
from tests.runs import HEADER, make_epoch, make_run
from tests.strategies import EPOCHS, HEADERS

IN_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / LOG_NAME
    write_header(path, HEADER)
    for record in make_run(4):
        append_record(path, record)
    return path


def continued(path, record, header=None):
    """Reconcile a log with a checkpoint that holds one record, and perhaps a header."""
    saved = b"" if header is None else header_line(header)
    return reconcile(path, record.epoch, saved + epoch_line(record))


def test_a_run_is_read_as_it_was_written(log):
    history = read_history(log)
    assert history.header == HEADER
    assert list(history.records) == make_run(4)
    assert history.notes == ()
    assert history.path == log


@pytest.mark.parametrize("name", ["", "last", "best", LOG_NAME])
def test_a_run_may_be_named_by_folder_pointer_or_file(log, name):
    (log.parent / "last").write_text("checkpoints/3-40\n")
    assert len(read_history(log.parent / name).records) == 4


def test_every_line_is_strict_json(log):
    append_record(log, make_epoch(4, beta=float("nan"), gradient_norm=float("inf")))

    def refuse(token):
        raise AssertionError(token)

    lines = [json.loads(line, parse_constant=refuse) for line in log.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["header", *["epoch"] * 5]
    assert lines[0]["schema"] == 2


def test_a_log_is_never_begun_twice(log):
    with pytest.raises(HistoryError, match="already holds a log"):
        write_header(log, HEADER)
    assert len(read_history(log).records) == 4


def test_a_cut_last_line_is_left_out_and_said(log):
    log.write_bytes(log.read_bytes()[:-40])
    history = read_history(log)
    assert len(history.records) == 3
    assert history.notes == ("Line 5 is cut in the middle and was left out.",)


def test_appending_after_a_cut_line_loses_nothing_more(log):
    log.write_bytes(log.read_bytes()[:-40])
    append_record(log, make_epoch(4))
    assert [record.epoch for record in read_history(log).records] == [0, 1, 2, 4]


def test_repeated_epochs_count_once_and_the_last_wins(log):
    append_record(log, make_epoch(2, beta=0.5))
    history = read_history(log)
    assert [record.epoch for record in history.records] == [0, 1, 2, 3]
    assert history.records[2].beta == 0.5
    assert history.notes == ("Epochs logged more than once, the last one counts: 2.",)


def test_a_missing_header_is_assumed_and_said(log):
    log.write_bytes(log.read_bytes().split(b"\n", 1)[1])
    history = read_history(log)
    assert history.header == RunHeader(kl=KLConvention(is_assumed=True))
    assert "no header" in history.notes[0]


@pytest.mark.parametrize("drop", ["kl", "free_bits"])
def test_an_incomplete_convention_counts_as_assumed(log, drop):
    first, rest = log.read_bytes().split(b"\n", 1)
    header = json.loads(first)
    if drop == "kl":
        del header["kl"]
    else:
        del header["kl"][drop]
    log.write_bytes(json.dumps(header).encode() + b"\n" + rest)
    assert read_history(log).header.kl.is_assumed


def first_version(log):
    """The log as the first version wrote it: without sums."""
    lines = [json.loads(line) for line in log.read_bytes().splitlines()]
    for line in lines:
        line.pop("sum")
    lines[0]["schema"] = 1
    log.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return log


def test_a_newer_schema_is_refused_in_a_sentence(log):
    first, rest = first_version(log).read_bytes().split(b"\n", 1)
    for others in (rest, log.read_bytes()):
        log.write_bytes(first.replace(b'"schema":1', b'"schema":7') + b"\n" + others)
        with pytest.raises(HistoryError) as caught:
            read_history(log)
        assert str(caught.value) == (
            f"{log}: written by a newer LatentVQA (format 7; this one reads up to 2): upgrade "
            "LatentVQA to use it"
        )


def test_unknown_lines_and_fields_of_the_first_version_are_left_out(log):
    first, rest = first_version(log).read_bytes().split(b"\n", 1)
    header = json.dumps({**json.loads(first), "novel": [1]}).encode()
    log.write_bytes(header + b"\n" + b'{"kind":"thought","x":1}\n' + rest)
    history = read_history(log)
    assert (len(history.records), history.header) == (4, HEADER)
    assert history.notes == ("Line 2 is not a usable epoch and was left out.",)


def test_a_log_of_the_first_version_is_continued_with_sums(log):
    known = read_history(log)
    now = log.read_bytes()
    assert read_history(first_version(log)) == known
    assert continued(log, make_epoch(3)) == "metrics.jsonl: lines put in order."
    assert log.read_bytes() == now
    assert continued(log, make_epoch(3)) is None


@pytest.mark.parametrize("line", range(5))
def test_a_damaged_line_is_left_out_said_and_written_anew_from_the_checkpoint(log, line):
    whole, known = log.read_bytes(), read_history(log)
    lines = whole.splitlines(keepends=True)
    lines[line] = lines[line].replace(b"1", b"7", 1)
    log.write_bytes(b"".join(lines))
    history = read_history(log)
    assert history.notes[0] == (
        f"Line {line + 1} is damaged (it is not what its sum says) and was left out."
    )
    assert "train --resume" in history.notes[1]
    assert len(history.records) == (4 if line == 0 else 3)
    done = reconcile(log, 3, whole)
    assert "1 line set aside" in done
    assert ("the header" if line == 0 else f"epoch {line - 1} written") in done
    assert log.read_bytes() == whole and read_history(log) == known
    assert (log.parent / SET_ASIDE_NAME).read_bytes() == lines[line]


def test_what_is_set_aside_is_added_to_what_was_before(log):
    for torn in (b'{"kind":"epo', b'{"kind'):
        log.write_bytes(log.read_bytes() + torn)
        continued(log, make_epoch(3))
    assert (log.parent / SET_ASIDE_NAME).read_bytes() == b'{"kind":"epo\n{"kind\n'


@pytest.mark.parametrize("target", ["theirs", "nowhere"])
def test_no_link_is_written_through(log, tmp_path, target):
    whole = log.read_bytes()
    (tmp_path / "theirs").write_bytes(whole)
    log.unlink()
    log.symlink_to(target)
    (tmp_path / SET_ASIDE_NAME).symlink_to(target)
    with pytest.raises(HistoryError, match="is a link"):
        append_record(log, make_epoch(4))
    reconcile(log, 2, whole)
    assert (tmp_path / "theirs").read_bytes() == whole and not (tmp_path / "nowhere").exists()
    assert not log.is_symlink() and len(read_history(log).records) == 3
    set_aside = tmp_path / SET_ASIDE_NAME
    if target == "theirs":
        assert set_aside.read_bytes() == whole.splitlines(keepends=True)[4]
        assert not set_aside.is_symlink()


def test_a_pipe_in_the_place_of_the_log_is_not_waited_for(log):
    log.unlink()
    os.mkfifo(log)
    with pytest.raises(HistoryError, match="cannot write"):
        append_record(log, make_epoch(4))


def test_byte_order_marks_blank_lines_and_windows_line_ends_are_no_fault(log):
    log.write_bytes(b"\xef\xbb\xbf" + log.read_bytes().replace(b"\n", b"\r\n\r\n"))
    history = read_history(log)
    assert (len(history.records), history.header, history.notes) == (4, HEADER, ())


@pytest.mark.parametrize("content", [b"", b"\n\n", b"not json\n", b"[1, 2]\n", b"\xff\xfe\x00"])
def test_a_file_without_anything_usable_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / LOG_NAME
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=r"metrics\.jsonl holds no header and no epoch"):
        read_history(path)


def test_a_missing_log_is_an_error_that_says_what_to_give(tmp_path):
    for path in (tmp_path, tmp_path / "none", "nul\0l"):
        with pytest.raises(HistoryError, match=r"give a run folder|cannot read"):
            read_history(path)


def test_a_header_alone_is_a_history_without_epochs(tmp_path):
    write_header(tmp_path / LOG_NAME, HEADER)
    assert read_history(tmp_path).records == ()


def test_reconcile_leaves_a_right_log_alone(log):
    before = log.read_bytes()
    assert continued(log, make_epoch(3)) is None
    assert log.read_bytes() == before
    assert list(log.parent.iterdir()) == [log]


def test_reconcile_sets_later_and_torn_lines_aside(log):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines) + b'{"kind":"epo')
    done = continued(log, make_epoch(1))
    assert log.read_bytes() == b"".join(lines[:3])
    assert (log.parent / SET_ASIDE_NAME).read_bytes() == lines[3] + lines[4] + b'{"kind":"epo\n'
    assert done == "metrics.jsonl: 3 lines set aside in metrics.set-aside.jsonl."


def test_reconcile_writes_a_missing_line_from_the_checkpoint(log):
    done = continued(log, make_epoch(4, beta=0.25))
    assert read_history(log).records[4].beta == 0.25
    assert done == "metrics.jsonl: epoch 4 written from the checkpoint."
    assert continued(log, make_epoch(4)) is None


def test_reconcile_keeps_the_last_of_repeated_lines(log):
    append_record(log, make_epoch(2, beta=0.5))
    continued(log, make_epoch(3))
    history = read_history(log)
    assert (history.records[2].beta, history.notes) == (0.5, ())


def test_reconcile_makes_a_lost_log_anew(tmp_path):
    continued(tmp_path / LOG_NAME, make_epoch(4), HEADER)
    history = read_history(tmp_path)
    assert (history.header, [r.epoch for r in history.records]) == (HEADER, [4])


def test_a_folder_in_the_place_of_the_log_is_an_error(tmp_path):
    (tmp_path / LOG_NAME).mkdir()
    for action in (
        lambda: read_history(tmp_path / LOG_NAME),
        lambda: append_record(tmp_path / LOG_NAME, make_epoch(0)),
        lambda: continued(tmp_path / LOG_NAME, make_epoch(0)),
    ):
        with pytest.raises(HistoryError):
            action()


@given(HEADERS, EPOCHS)
@IN_FOLDER
def test_any_record_survives_the_round_trip(tmp_path, header, record):
    path = tmp_path / LOG_NAME
    path.unlink(missing_ok=True)
    write_header(path, header)
    append_record(path, record)
    history = read_history(path)
    assert repr(history.header) == repr(header)  # repr: NaN equals itself
    assert repr(history.records) == repr((record,))
    assert history.notes == ()


@given(HEADERS, st.lists(EPOCHS, max_size=6))
@IN_FOLDER
def test_any_record_can_be_judged(header, records):
    by_epoch = {record.epoch: record for record in records}
    assert diagnose(header, list(by_epoch.values())).verdict.sentence


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(["kind", "epoch", "stage", "train", "val", "kl", "teacher", "seconds"])
LINES = st.one_of(
    st.binary(max_size=40),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(KEYS, JSON | st.sampled_from(["epoch", "header", "full"]), max_size=6).map(
        lambda value: json.dumps(value).encode()
    ),
    st.just(b'{"epoch":0,"stage":"full","beta":1e999,"steps":' + b"9" * 5000 + b"}"),
    st.just(b'{"epoch":1,"stage":"full","beta":' + b"9" * 400 + b',"seconds":{"\\ud800":"x"}}'),
    st.just(b"[" * 100_000),
)


@given(st.lists(LINES, max_size=6), st.integers(0, 200))
@IN_FOLDER
def test_whatever_a_file_holds_only_a_history_error_leaves_the_reader(tmp_path, lines, cut):
    path = tmp_path / LOG_NAME
    path.write_bytes(b"\n".join(lines)[: -cut or None])
    try:
        history = read_history(path)
    except HistoryError:
        return
    assert diagnose(history.header, history.records, notes=history.notes).verdict.sentence
    continued(path, make_epoch(3))
    (tmp_path / SET_ASIDE_NAME).unlink(missing_ok=True)
    assert read_history(path).records[-1].epoch == 3


def test_a_convention_of_a_control_survives(tmp_path):
    header = replace(HEADER, kl=replace(HEADER.kl, bottleneck="none"))
    write_header(tmp_path / LOG_NAME, header)
    assert read_history(tmp_path).header == header
