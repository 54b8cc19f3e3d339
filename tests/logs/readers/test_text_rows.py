"""Headings, splits, progress bars and options of plain-text logs."""

import pytest

from tests.logs.conftest import has_note


def values(history, split="train"):
    return [
        (getattr(r, split).total_loss, getattr(r, split).answer_loss, getattr(r, split).kl_raw)
        for r in history.records
    ]


def told(epoch):
    """What one epoch says: losses of 3, 2, 1 and twice as much in validation."""
    return {"t": 4.0 - epoch, "v": 8.0 - 2 * epoch, "e": epoch}


SHAPES = {
    "bars": "epoch {e} | train loss={t} recon={t} kl=0.5 | val loss={v} recon={v} kl=0.7\n",
    "commas": "Epoch {e}, Train Loss: {t}, Recon: {t}, KL: 0.5, "
    "Val Loss: {v}, Recon: {v}, KL: 0.7\n",
    "parentheses": "epoch {e}: loss {t} (recon {t}, kl 0.5) val_loss {v} (recon {v}, kl 0.7)\n",
    "lines": "[epoch {e}] TRAIN loss={t} recon={t} kl=0.5\n"
    "[epoch {e}] VAL loss={v} recon={v} kl=0.7\n",
    "tags": "Epoch {e}\n  Train - Loss: {t}, Recon: {t}, KL: 0.5\n"
    "  Val - Loss: {v}, Recon: {v}, KL: 0.7\n",
    "blocks": "=== Epoch {e}/3 ===\nTrain:\n loss: {t}\n recon: {t}\n kl: 0.5\n"
    "Validation:\n loss: {v}\n recon: {v}\n kl: 0.7\n",
    "nested": "Epoch {e}\n\tTrain Loss: {t}\n\t  Recon: {t}\n\t  KL: 0.5\n"
    "\tVal Loss: {v}\n\t  Recon: {v}\n\t  KL: 0.7\n",
    "Keras": "Epoch {e}/3\n90/90 - 2s - loss: {t} - recon: {t} - kl: 0.5 - val_loss: {v} "
    "- val_recon: {v} - val_kl: 0.7\n",
    "Markdown": "**Epoch {e}** \u2014 loss: `{t}`, recon: `{t}`, KL: `0.5`, "
    "val loss: `{v}`, val recon: `{v}`, val KL: `0.7`\n",
    "wrapped": "epoch {e} loss tensor({t}, device='cuda:0') recon tensor({t}) kl np.float32(0.5)\n"
    "val: loss tensor({v}) recon tensor({v}) kl np.float32(0.7)\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_training_and_validation_are_kept_apart(read, shape):
    history = read("log.txt", "".join(SHAPES[shape].format(**told(e)) for e in (1, 2, 3)))
    assert values(history) == [(t, t, 0.5) for t in (3.0, 2.0, 1.0)]
    assert values(history, "val") == [(v, v, 0.7) for v in (6.0, 4.0, 2.0)]


def test_test_lines_are_no_validation(read):
    line = "epoch {e} {s} loss={t} recon={t} kl=0.5\n"
    shown = "".join(
        line.format(e=e, s=s, t=t)
        for e in (1, 2)
        for s, t in (("train", 1), ("val", 2), ("test", 9))
    )
    assert [r.val.total_loss for r in read("log.txt", shown).records] == [2.0, 2.0]


def test_a_progress_bar_counts_by_its_last_state(read):
    bar = "Epoch {e}: {p}%|####| {n}/20 [00:0{n}<00:01, 9.9it/s, loss={loss}, recon=1.0, kl=0.5]\n"
    shown = "".join(
        bar.format(e=e, p=5 * n, n=n, loss=n / e) for e in (1, 2, 3, 4) for n in (10, 20)
    )
    history = read("log.txt", shown)
    assert [r.train.total_loss for r in history.records] == [20.0, 10.0, 20 / 3, 5.0]
    assert has_note(history, "its last one counts")


def test_the_progress_of_one_epoch_is_its_course(read):
    bar = "{n}/500 [====>.......] - ETA: 4:0{n} - loss: {n} - recon: 1.0 - kl: {n}\n"
    shown = "Epoch 1/1\n" + "".join(bar.format(n=n) for n in range(1, 9))
    history = read("log.txt", shown)
    assert [r.train.kl_raw for r in history.records] == [float(n) for n in range(1, 9)]


OPTIONS = [
    "Namespace(batch_size=64, beta=4.0, lr=0.001, kl_weight=0.1, loss=2)",
    "Config: beta=4.0 kl_weight=0.1 loss: 7",
    "batch_size: 64\nkl_weight: 0.1\nbeta: 4.0\nepochs: 50",
]


@pytest.mark.parametrize("options", OPTIONS)
def test_options_are_no_measures(read, options):
    shown = "".join(f"Epoch {e}: loss=3.0 recon=2.0 kl=0.5\n" for e in (0, 1, 2))
    history = read("log.txt", f"{options}\n{shown}")
    assert values(history) == [(3.0, 2.0, 0.5)] * 3
    assert all(record.kl_weight in (None, 2.0) for record in history.records)


@pytest.mark.parametrize(
    "place",
    ["[{n}]", "{n}/900 (epoch 1)", "step {n}:", "iter: {n}/900,", "Train Epoch: 1 [{n}/900 (3%)]"],
)
def test_steps_are_known_in_many_shapes(read, place):
    shown = "".join(f"{place.format(n=100 * n)} recon: 2.0 kl: {n}.0\n" for n in range(1, 7))
    history = read("log.txt", shown)
    assert [r.train.kl_raw for r in history.records] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_several_losses_with_one_last_word_stay_apart(read):
    shown = "".join(
        f"Epoch {e} gen loss: 9.0, policy loss: 8.0, dropout rate: 0.05, loss: 1.0, kl loss: 0.5\n"
        for e in (0, 1)
    )
    history = read("log.txt", shown)
    assert values(history) == [(1.0, None, 0.5)] * 2 or history.header.unjudged
    assert all(r.train.rate is None for r in history.records)


def test_the_pattern_that_finds_most_is_taken(read):
    shown = "".join(
        f"Train Epoch: {e} [0%]\nloss_disc=2.9, loss_mel=31.7, loss_kl={e}.5\n" for e in (1, 2, 3)
    )
    assert [r.train.kl_raw for r in read("log.txt", shown).records] == [1.5, 2.5, 3.5]


def test_a_bar_drawn_with_lines_counts_by_its_last_state(read):
    bar = "Epoch {e}/4 {b} {n}/20 0:00:01 loss: {l} recon: {l} kl: 0.5\n"
    shown = "".join(
        bar.format(e=e, b="\u2501" * 20 + "\u257a", n=n, l=n / e)
        for e in (1, 2, 3, 4)
        for n in (10, 20)
    )
    assert [r.train.total_loss for r in read("log.txt", shown).records] == [20.0, 10.0, 20 / 3, 5.0]


@pytest.mark.parametrize("prefix", ["2024-05-06 10:11:12\tname\tINFO\t", "\u2500\u2500\u2500 ", ""])
def test_a_heading_names_the_epoch_behind_the_prefix_of_a_logger(read, prefix):
    shown = "".join(f"{prefix}Train Epoch: {e} [0%]\n loss=1.0, kl=0.5\n" for e in (1, 2, 3))
    assert [r.epoch for r in read("log.txt", shown).records] == [0, 1, 2]


def test_an_epoch_and_its_step_may_stand_in_brackets_behind_the_split(read):
    line = "x - INFO - Epoch(train)  [{e}][{s:3d}/200]  eta: 0:12:32  loss: {e}.5  loss_kl: 0.5\n"
    shown = "".join(line.format(e=e, s=s) for e in (1, 2, 3, 4) for s in (50, 100))
    assert [r.train.total_loss for r in read("log.txt", shown).records] == [1.5, 2.5, 3.5, 4.5]
