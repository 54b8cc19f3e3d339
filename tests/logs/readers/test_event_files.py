"""Event files are made with the tensorboard package, as writers make them."""

import sys

import pytest

from latentvqa.errors import HistoryError
from latentvqa.logs import log_options, read_log
from tests.logs.conftest import has_note

pytest.importorskip("tensorboard")


def write_events(folder, steps, *, is_version_2=False):
    """Scalars by step: as PyTorch writes them, or as TensorFlow 2 does."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    writer = EventFileWriter(str(folder))
    for step, scalars in steps:
        for tag, number in scalars.items():
            value = Summary.Value(tag=tag, simple_value=number)
            if is_version_2:
                plugin = SummaryMetadata.PluginData(plugin_name="scalars")
                metadata = SummaryMetadata(plugin_data=plugin)
                tensor = make_tensor_proto(number, dtype="float32")
                value = Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
            writer.add_event(Event(step=step, wall_time=0.0, summary=Summary(value=[value])))
    writer.close()
    return next(folder.glob("*tfevents*"))


STEPS = [(step, {"train/kl": step / 4, "train/loss": 1.0}) for step in range(8)]


@pytest.mark.parametrize("is_version_2", [False, True])
def test_scalars_are_read_from_a_folder_or_a_file(tmp_path, is_version_2):
    file = write_events(tmp_path, STEPS, is_version_2=is_version_2)
    for path in (tmp_path, file):
        records = read_log(path, log_options(steps_per_epoch=4)[0]).records
        assert [record.train.kl_raw for record in records] == [0.375, 1.375]


def test_without_epochs_the_steps_are_windows(tmp_path):
    write_events(tmp_path, STEPS)
    history = read_log(tmp_path)
    assert not history.header.counts_epochs
    assert len(history.records) == 8


def test_an_epoch_scalar_is_the_epoch(tmp_path):
    steps = [(step, {"epoch": float(step // 4), **scalars}) for step, scalars in STEPS]
    write_events(tmp_path, steps)
    assert [record.train.kl_raw for record in read_log(tmp_path).records] == [0.375, 1.375]


def test_folders_of_splits_go_before_their_tags(tmp_path):
    for name, loss in (("train", 1.0), ("validation", 2.0)):
        write_events(tmp_path / name, [(e, {"epoch_loss": loss}) for e in range(3)])
    record = read_log(tmp_path, log_options(steps_per_epoch=1)[0]).records[0]
    assert (record.train.total_loss, record.val.total_loss) == (1.0, 2.0)


def test_the_only_run_below_a_folder_is_taken_and_several_are_refused(tmp_path):
    write_events(tmp_path / "version_0", STEPS)
    assert len(read_log(tmp_path).records) == 8
    write_events(tmp_path / "version_1", STEPS)
    with pytest.raises(HistoryError, match=r"several runs \(version_0, version_1\): give one"):
        read_log(tmp_path)


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_cut_file_is_read_up_to_the_cut(tmp_path, cut):
    file = write_events(tmp_path, STEPS)
    file.write_bytes(file.read_bytes()[:-cut])
    assert 1 <= len(read_log(file).records) <= 8


def test_a_damaged_file_is_read_up_to_the_damage(tmp_path):
    file = write_events(tmp_path, STEPS)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(bytes(content))
    assert 1 <= len(read_log(file).records) < 8


def test_nothing_in_it_is_an_error(tmp_path):
    path = tmp_path / "events.out.tfevents.1.host"
    for content in (b"", b"garbage", b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(HistoryError, match="tfevents"):
            read_log(path)


def test_without_the_package_the_error_says_what_to_install(tmp_path, monkeypatch):
    write_events(tmp_path, STEPS)
    name = "tensorboard.backend.event_processing.event_file_loader"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(HistoryError, match=r'pip install "latentvqa\[tensorboard\]"'):
        read_log(tmp_path)


def test_damage_is_said(tmp_path, monkeypatch):
    from tensorboard.backend.event_processing import event_file_loader

    file = write_events(tmp_path, STEPS)
    load = event_file_loader.LegacyEventFileLoader.Load

    def broken(self):
        yield from list(load(self))[:5]
        raise RuntimeError("broken")

    monkeypatch.setattr(event_file_loader.LegacyEventFileLoader, "Load", broken)
    assert has_note(read_log(file), "is damaged and was read up to there: RuntimeError.")
