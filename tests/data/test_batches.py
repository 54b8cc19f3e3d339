from __future__ import annotations

import signal
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from latentvqa.data.batch_plan import plan_batches
from latentvqa.data.batches import Batch, BatchLoader, EncodedTable, make_batch
from latentvqa.data.decoding_processes import DecodingProcesses
from latentvqa.data.images import ImageStore, ImageTransform
from latentvqa.data.scenes.writing import make_scenes
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.data.tokenizer import EOS, PAD, TextTokenizer, Tokenizers
from latentvqa.errors import DataError
from latentvqa.stopping import Interrupted, deferred, heard_signals


@dataclass(frozen=True)
class Scenes:
    table: QuestionTable
    tokenizers: Tokenizers
    encoded: EncodedTable
    store: ImageStore
    batches: list[np.ndarray]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    folder = tmp_path_factory.mktemp("scenes")
    path = make_scenes(folder, images=12, seed=0, level="easy", questions_per_image=6)
    table = read_questions(path, images=folder / "images")
    question, answer = (
        TextTokenizer.train(
            texts, kind="word", vocab_size=500, min_count=1, lowercase=True, split_punctuation=is_q
        )
        for texts, is_q in ((table.questions, True), (table.targets, False))
    )
    pair = Tokenizers(question, answer)
    encoded = EncodedTable(table, pair, 12, 3)
    store = ImageStore(table.image_paths, ImageTransform(8), 0, workers=2)
    batches = plan_batches(
        table.image_index, batch_size=10, questions_per_image=2, seed=0, epoch=0, shuffle=True
    )
    return Scenes(table, pair, encoded, store, batches)


def test_a_batch_holds_its_rows_and_each_image_once(scenes: Scenes) -> None:
    rows = np.array([7, 0, 1, 40])
    batch = make_batch(scenes.encoded, scenes.store, rows)
    assert batch.rows.tolist() == rows.tolist()
    assert batch.images.shape == (3, 3, 8, 8) and batch.images.dtype == torch.uint8
    for place, row in enumerate(rows):
        expected = scenes.store.get(scenes.table.image_index[[row]])[0]
        assert batch.images[batch.image_index[place]].equal(expected)
        ids = scenes.tokenizers.question.encode([scenes.table.questions[row]])[0]
        assert batch.question_tokens[place].tolist() == ids + [PAD] * (
            batch.question_tokens.shape[1] - len(ids)
        )
        answer = batch.answer_tokens[place].tolist()
        assert scenes.tokenizers.answer.decode(answer) == scenes.table.targets[row]
        assert tuple(answer) == scenes.encoded.target_key(int(row)) and answer[-1] == EOS


def test_long_texts_are_cut_and_counted(scenes: Scenes) -> None:
    encoded = EncodedTable(scenes.table, scenes.tokenizers, 4, 1)
    assert encoded.is_question_cut.all()
    assert not encoded.is_answer_cut.any()
    assert make_batch(encoded, scenes.store, np.arange(5)).question_tokens.shape == (5, 4)
    nothing = EncodedTable(scenes.table, scenes.tokenizers, 4, 0)
    assert nothing.is_answer_cut.all()
    assert nothing.target_key(0) == (EOS,)


def collect(scenes: Scenes, workers: int, start: int = 0) -> list[Batch]:
    loader = BatchLoader(scenes.encoded, scenes.store, scenes.batches, workers=workers, start=start)
    batches = list(loader)
    assert len(batches) == len(loader) == len(scenes.batches) - start
    return batches


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_the_planned_batches_in_order(scenes: Scenes, workers: int) -> None:
    for start in (0, 3):
        planned = [make_batch(scenes.encoded, scenes.store, b) for b in scenes.batches[start:]]
        for given_batch, expected in zip(collect(scenes, workers, start), planned, strict=True):
            for name in vars(expected):
                assert getattr(given_batch, name).equal(getattr(expected, name))


def test_an_iteration_left_early_leaves_no_thread_behind(scenes: Scenes) -> None:
    threads = threading.active_count()
    iterator = iter(BatchLoader(scenes.encoded, scenes.store, scenes.batches, workers=2))
    next(iterator)
    iterator.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 30
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= threads


class _Slow:
    """Images that take for ever, or nearly so."""

    def __init__(self, given_up: threading.Event) -> None:
        self.given_up = given_up

    def get(self, indices: np.ndarray) -> torch.Tensor:
        self.given_up.wait(60)
        return torch.zeros(len(indices), 3, 8, 8)


@pytest.mark.parametrize("is_deferred", [True, False])
def test_a_signal_ends_the_waiting_for_a_batch(scenes: Scenes, is_deferred: bool) -> None:
    given_up = threading.Event()
    loader = BatchLoader(scenes.encoded, _Slow(given_up), scenes.batches, workers=0)
    ringing = threading.Timer(0.2, signal.raise_signal, [signal.SIGTERM])
    with heard_signals(), pytest.raises(Interrupted), deferred() if is_deferred else nullcontext():
        ringing.start()
        next(iter(loader))
    assert not given_up.is_set()
    given_up.set()


@pytest.mark.parametrize("processes", [None, DecodingProcesses(1)])
def test_a_lost_image_is_one_plain_error(
    scenes: Scenes, tmp_path: Path, processes: DecodingProcesses | None
) -> None:
    paths = [tmp_path / path.name for path in scenes.table.image_paths]
    store = ImageStore(paths, ImageTransform(8), 0, processes=processes)
    loader = BatchLoader(scenes.encoded, store, scenes.batches, workers=1)
    with pytest.raises(DataError, match="no such file") as caught:
        list(loader)
    assert "Traceback" not in str(caught.value)


def test_a_table_without_answers_makes_batches(scenes: Scenes, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("image,question\n00000.png,What?\n")
    table = read_questions(
        tmp_path / "q.csv", images=scenes.table.image_paths[0].parent, require_answers=False
    )
    batch = make_batch(EncodedTable(table, scenes.tokenizers, 9, 9), scenes.store, np.array([0]))
    assert batch.answer_tokens.tolist() == [[EOS]]


def test_a_batch_on_a_device_is_the_same_and_its_rows_stay_on_the_host(scenes: Scenes) -> None:
    batch = make_batch(scenes.encoded, scenes.store, scenes.batches[0])
    moved = batch.to(torch.device("meta"))
    for name in ("images", "image_index", "question_tokens", "answer_tokens"):
        assert getattr(moved, name).device.type == "meta"
        assert getattr(moved, name).shape == getattr(batch, name).shape
    assert torch.equal(moved.rows, batch.rows)
    same = batch.to(torch.device("cpu"))
    assert torch.equal(same.images, batch.images)
    assert torch.equal(same.answer_tokens, batch.answer_tokens)
