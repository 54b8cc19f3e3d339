"""Column names that training logs commonly use, and the fields they stand for.

A name is taken for a field where it stands in the table below, or where its words
say it (see :mod:`latentvqa.logs.columns.words`); nothing is inferred from values.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from latentvqa.logs.columns.fields import OWN_METRICS, Field, Place
from latentvqa.logs.columns.words import Kind, kind_of, word_set, words_of


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Spelling counts for nothing: case, /, ., -, : and spaces are read as _.
METRIC_NAMES = {
    "total_loss": _names(
        "loss total_loss total loss_total objective elbo_loss neg_elbo negative_elbo nelbo vae_loss"
    ),
    "answer_loss": _names(
        "answer_loss answer recon_loss reconstruction_loss rec_loss recon rec reconstruction "
        "loss_recon loss_rec recons_loss recon_error ce_loss ce cross_entropy bce_loss bce "
        "mse_loss mse rc rc_loss"
    ),
    "answer_nll": _names("answer_nll nll nll_loss loss_nll"),
    "kl_raw": _names("kl_raw raw_kl kl_raw_loss kl_unclamped kl_before_free_bits"),
    "kl_after": _names("kl_after kl_clamped kl_free_bits kl_after_free_bits"),
    "orthogonality": _names("orthogonality ortho ortho_loss orthogonality_loss"),
    "teacher_loss": _names("teacher_loss teacher preference_loss"),
    "exact_match": _names("exact_match em accuracy acc"),
    "rate": _names("rate rate_nats"),
    "active_units": _names("active_units au num_active_units n_active_units"),
    "information_bound": _names("information_bound"),
    "answer_entropy": _names("answer_entropy"),
    **{name: (name,) for name in OWN_METRICS},
    "temperature": _names("temperature latent_temperature"),
}
# kl_raw, or kl_after where another column holds kl_raw
PLAIN_KL = _names(
    "kl kl_loss loss_kl kld kld_loss loss_kld kl_div kl_divergence dkl kl_term kl_cost kl_mean "
    "latent_loss"
)
WEIGHT_NAMES = {
    "learning_rate": _names("learning_rate lr"),
    "kl_weight": _names("kl_weight weight_kl kld_weight kl_anneal_weight"),
    "effective_kl_weight": _names("effective_kl_weight beta kl_beta kl_coef kl_coeff"),
}
POSITION_NAMES = {
    "epoch": _names("epoch epochs epoch_idx epoch_num epoch_number current_epoch ep"),
    "step": _names(
        "step global_step trainer_global_step steps iteration iter iterations train_step batch_idx "
        "_step itr n_iter num_updates total_timesteps time_total_timesteps timesteps_total "
        "time_iterations training_iteration"
    ),
    "stage": _names("stage"),
    "split": _names("split phase mode subset"),
}
SPLIT_WORDS: dict[str, str] = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev"), "val"),
}
TEST_WORD = "test"  # stands for validation where the log has none
CAPACITY_NAMES = _names("c capacity kl_capacity c_t capacity_c")  # what abs(KL - C) is held at

# how well a column fits: smaller is better
AS_MAPPED, AS_NAMED, AS_EPOCH_MEAN, AS_STEP = range(4)


@dataclass(frozen=True)
class Meaning:
    """What a column is taken for.

    Attributes:
        field: where its values go.
        rank: what it is worth beside other columns of the same field: suffix,
            whether the split is named, place in the table.
        is_plain_kl: the name says KL but not whether before or after free bits.
        is_test: measured on a test split.
        is_split_named: the name itself says the split.
        scale: what its values are multiplied by to be nats.
    """

    field: Field
    rank: tuple[int, ...] = (AS_NAMED, 0, 0)
    is_plain_kl: bool = False
    is_test: bool = False
    is_split_named: bool = True
    scale: float = 1.0


_BY_WORDS: dict[Kind, str] = {
    "kl": "kl_raw",
    "reconstruction": "answer_loss",
    "total": "total_loss",
}
_SPREADS = ("__MIN", "__MAX", "__STD")  # beside the mean in exports
_AVERAGES = word_set("epoch step batch avg average mean running")
_BITS = frozenset({"bits", "bit"})
_DISTANCES = frozenset({"l1", "l2", "mae"})  # of a reconstruction, or of something else
_NO_LOSS = frozenset({"fn", "function", "type", "name", "scale", "weight"})
_LAST = 1000  # a name by its words ranks after every name of the table


def meaning_of(column: str) -> Meaning | None:
    """What a column's name says that it holds, or None where nothing is known by it."""
    run, column = run_and_name(column)
    if run and column.endswith(_SPREADS):
        return None
    name = re.sub(r"[\s/.\-:|]+", "_", column.strip().lower()[:200])
    for field, names in POSITION_NAMES.items():
        if name in names:
            return Meaning(Field("position", field), (AS_NAMED, 0, names.index(name)))
    words = [word for word in name.split("_") if word]
    suffix, words = _averaging(words, AS_NAMED)
    split, words = _split_off(words)
    suffix, words = _averaging(words, suffix)
    # perhaps over dimensions: a sum goes first
    is_mean = len(words) > 1 and "mean" in (words[0], words[-1])
    if len(words) > 1 and words[0] in ("avg", "average", "mean", "running"):
        words = words[1:]
    if split is None:
        split, words = _split_off(words)
    name = "_".join(words)
    known = _of_run(name, suffix) or _metric(name, split, suffix)
    if known is None:
        return _by_words(column, suffix)
    return replace(known, rank=(*known.rank[:2], 2 * _LAST)) if is_mean else known


def _of_run(name: str, suffix: int) -> Meaning | None:
    """A weight, a rate or the capacity, which belong to no split."""
    for field, names in WEIGHT_NAMES.items():
        if name in names:
            return Meaning(Field("run", field), (suffix, 0, names.index(name)))
        if field == "learning_rate" and name.startswith("lr_"):  # Lightning: lr-AdamW/pg1
            return Meaning(Field("run", field), (suffix, 0, len(names)))
    return Meaning(Field("other", "capacity")) if name in CAPACITY_NAMES else None


def _by_words(column: str, suffix: int) -> Meaning | None:
    """What the words of a name say that it holds, wherever its split stands."""
    words = words_of(column)
    splits = [word for word in words if word in SPLIT_WORDS or word == TEST_WORD]
    left_out = {*splits, *_AVERAGES, *_BITS, "in"}
    kind = kind_of(tuple(word for word in words if word not in left_out))
    if len(set(splits)) > 1:
        return None
    split = SPLIT_WORDS.get(splits[0], TEST_WORD) if splits else None
    if kind == "weight":
        return Meaning(Field("run", "kl_weight"), (suffix, 0, _LAST))
    is_loss = words[-1:] == ("loss",) or (words[:1] == ("loss",) and words[-1] not in _NO_LOSS)
    rest = set(words) - {*splits, "loss"}
    is_distance = bool(rest) and rest <= _DISTANCES
    if not kind and (is_loss or is_distance) and split in (None, "train"):
        return Meaning(Field("other", column))  # may prove to be the reconstruction
    if kind not in _BY_WORDS:
        return None
    place: Place = "val" if split in ("val", TEST_WORD) else "train"
    rank = (suffix, split is None, _LAST + len(words) + ("mean" in words))
    is_named = split is not None
    scale = math.log(2.0) if _BITS & set(words) else 1.0
    field = Field(place, _BY_WORDS[kind])
    return Meaning(field, rank, kind == "kl", split == TEST_WORD, is_named, scale)


def run_and_name(column: str) -> tuple[str, str]:
    """The run that an export names before a column, as in ``run-3 - train/kl``, and the rest."""
    run, dash, name = column.rpartition(" - ")
    return (run, name) if dash else ("", column)


def is_split_name(name: str) -> bool:
    """Whether a name ends with a split: ``validation``, ``loss_train``."""
    word = re.split(r"[\s/.\-:|_]+", name.lower())[-1]
    return word in SPLIT_WORDS or word == TEST_WORD


def _metric(name: str, split: str | None, suffix: int) -> Meaning | None:
    is_test = split == TEST_WORD
    place: Place = "val" if split in ("val", TEST_WORD) else "train"
    is_named = split is not None
    if name in PLAIN_KL:
        rank = (suffix, not is_named, PLAIN_KL.index(name))
        return Meaning(Field(place, "kl_raw"), rank, True, is_test, is_named)
    for attribute, names in METRIC_NAMES.items():
        if name in names:
            rank = (suffix, not is_named, names.index(name))
            return Meaning(Field(place, attribute), rank, False, is_test, is_named)
    return None


def _averaging(words: list[str], suffix: int) -> tuple[int, list[str]]:
    """Whether a name says mean of an epoch or single step: loss_epoch, epoch_loss, loss_step."""
    for at, rest in ((-1, words[:-1]), (0, words[1:])):
        if rest and words[at] in ("epoch", "step", "batch"):
            return (AS_EPOCH_MEAN if words[at] == "epoch" else AS_STEP), rest
    return suffix, words


def _split_off(words: list[str]) -> tuple[str | None, list[str]]:
    """The split that a name begins or ends with, and the rest of the name."""
    for at, rest in ((0, words[1:]), (-1, words[:-1])):
        if rest and (words[at] in SPLIT_WORDS or words[at] == TEST_WORD):
            return SPLIT_WORDS.get(words[at], TEST_WORD), rest
    return None, words
