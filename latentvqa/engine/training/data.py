"""From a configuration to encoded tables and image stores, reporting all faults at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentvqa.config import Config, Data
from latentvqa.core.figures import counted, percent
from latentvqa.data.audit.images import inspect_images
from latentvqa.data.audit.near_copies import find_copies
from latentvqa.data.batches import EncodedTable
from latentvqa.data.decoding_processes import DecodingProcesses
from latentvqa.data.images import ImageStore, ImageTransform, bad_image_message, drop_images
from latentvqa.data.scenes.writing import make_scenes
from latentvqa.data.split import (
    fingerprint,
    read_split,
    shared_images,
    split_by_image,
    split_content,
    write_split,
)
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.metrics.accumulator import entropy_of
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import DataError
from latentvqa.models import ImagePreparation
from latentvqa.sums import DamagedFileError, restore


@dataclass(frozen=True)
class Tables:
    """Training and validation questions.

    Attributes:
        train: questions to train on.
        val: questions to validate on.
        fingerprints: what identifies the files, by role.
    """

    train: QuestionTable
    val: QuestionTable
    fingerprints: dict[str, Any]


@dataclass(frozen=True)
class Split:
    """One side of the data, ready for batches.

    Attributes:
        encoded: the questions.
        store: their images.
        skipped: bad images and their questions that were dropped, by kind.
    """

    encoded: EncodedTable
    store: ImageStore
    skipped: dict[str, int]

    @cached_property
    def answer_entropy(self) -> float:
        """H(A) of the encoded target sequences, in nats."""
        return entropy_of(self.encoded.target_key(row) for row in range(len(self.encoded)))


def materialise_scenes(config: Config, folder: Path, observer: Observer) -> Config:
    """Generate the scenes that a configuration asks for; the rest is unchanged.

    A table in ``folder`` from an earlier start is generated anew: same seed,
    same bytes.
    """
    data = config.data
    if data.scenes is None or data.train is not None:
        return config
    observer.notice(
        f"making {counted(data.scene_images, f'{data.scenes} scene')} with "
        f"{counted(data.scene_questions, 'question')} each in {folder}"
    )
    table = make_scenes(
        folder,
        images=data.scene_images,
        seed=data.scene_seed,
        level=data.scenes,
        questions_per_image=data.scene_questions,
        families=data.scene_families,
        progress=lambda done, total: observer.progress("scenes", done, total),
    )
    images = (folder / "images").resolve()
    return config.replace("data", train=table.resolve(), images=images)


def read_tables(config: Config, observer: Observer, split: Path | None = None) -> Tables:
    """Read the tables and split by image where there is no validation table.

    Args:
        config: names the tables.
        observer: receives progress and a notice of images on both sides.
        split: ``split.csv`` of the run that is resumed.

    Raises:
        DataError: naming file, row and column.
        DamagedFileError: if the split was changed and cannot be made anew.
    """
    data = config.data
    if data.train is None or data.images is None:
        raise DataError("data.train and data.images are needed to train")
    table = _read(config, data.train, data.images, observer)
    fingerprints = {"train": fingerprint(table)}
    if data.val is not None:
        val = _read(config, data.val, data.val_images or data.images, observer)
        fingerprints["val"] = fingerprint(val)
        share = shared_images(table, val)
        if share > 0:
            observer.notice(
                f"warning: {percent(share)} of the validation questions are about images that are "
                "also trained on; the score will flatter the model"
            )
        return Tables(table, val, fingerprints)
    if split is None:
        return Tables(*_split(config, table, observer), fingerprints)
    try:
        return Tables(*read_split(split, table), fingerprints)
    except DamagedFileError:
        train, val = _split(config, table, observer)
        if not restore(split, split_content(train, val)):
            raise
        observer.notice(f"warning: {split} was damaged; it is made anew, and its SHA-256 agrees")
        return Tables(train, val, fingerprints)


def _split(
    config: Config, table: QuestionTable, observer: Observer
) -> tuple[QuestionTable, QuestionTable]:
    """Training and validation rows of a table, as a new run has them."""
    groups = _copies(config, table, observer)
    return split_by_image(table, config.data.val_fraction, config.run.seed, groups)


def _copies(config: Config, table: QuestionTable, observer: Observer) -> NDArray[np.int64] | None:
    """Groups of images that show the same; None where they are not looked for."""
    data = config.data
    if data.scenes is not None or not data.keep_copies_together:  # scenes are drawn one by one
        return None
    files = inspect_images(
        table.image_paths,
        lambda done, total: observer.progress("comparing images", done, total),
        max_pixels=data.max_pixels,
    )
    groups = find_copies([file.fingerprint for file in files]).groups()
    sizes = np.unique(groups, return_counts=True)[1]
    if (sizes > 1).any():
        observer.notice(
            f"{sizes[sizes > 1].sum():,} images show what another one shows, in "
            f"{counted((sizes > 1).sum(), 'group')}; the copies of a group stay on one side of the "
            "split (data.keep_copies_together)"
        )
    return groups


def write_split_file(run: Path, tables: Tables) -> None:
    """Write ``split.csv``: which image went to training or validation."""
    write_split(RunFolder(run).split, tables.train, tables.val)


def open_split(
    config: Config,
    table: QuestionTable,
    tokenizers: Tokenizers,
    preparation: ImagePreparation,
    observer: Observer,
    name: str,
    processes: DecodingProcesses | None = None,
) -> Split:
    """Decode the images and encode the texts of one side.

    Args:
        config: resolved.
        table: of the side.
        tokenizers: of questions and answers.
        preparation: what the backbone needs of an image.
        observer: receives progress and notices.
        name: of the side, for people.
        processes: what decodes the images of batches; threads without them.

    Raises:
        DataError: if images cannot be decoded and ``on_bad_image`` is "error".
    """
    transform = ImageTransform(preparation.size, preparation.interpolation, config.data.max_pixels)
    store = ImageStore(table.image_paths, transform, config.loader.cache_mib, processes=processes)
    skipped: dict[str, int] = {}
    faults = store.load(lambda done, total: observer.progress(f"{name} images", done, total))
    if faults:
        if config.data.on_bad_image == "error":
            raise DataError(bad_image_message(faults, table))
        kept = drop_images(table, {fault.index for fault in faults})
        observer.notice(
            f"warning: skipped {counted(len(faults), f'bad {name} image')} with "
            f"{counted(len(table) - len(kept), 'question')} "
            '(data.on_bad_image = "skip")'
        )
        skipped = {"images": len(faults), "questions": len(table) - len(kept)}
        store, table = store.subset(kept.image_paths), kept
    text = config.text
    encoded = EncodedTable(table, tokenizers, text.max_question_tokens, text.max_answer_tokens)
    _tell_truncation(encoded, config, observer, name)
    return Split(encoded, store, skipped)


def first_rows(data: Data, table: QuestionTable) -> np.ndarray:
    """Rows of the types that the first epochs ask, ``(rows,)``; all rows without such types.

    Types that are learnt alone and first keep what they know when the rest arrives; in
    a mixture the gradients of one can cancel what another teaches (a curriculum,
    Bengio et al. 2009, ICML).

    Raises:
        DataError: if the table has no types, or not the named ones.
    """
    if not data.first_types:
        return np.arange(len(table))
    if table.types is None:
        raise DataError(
            f"data.first_types: {table.path} has no type column. Name it in data.columns, or leave "
            "first_types empty."
        )
    known = sorted(set(table.types))
    if missing := [name for name in data.first_types if name not in known]:
        raise DataError(
            f"data.first_types: no question of the type {', '.join(map(repr, missing))} in "
            f"{table.path}. It has {', '.join(map(repr, known))}."
        )
    return np.flatnonzero(np.isin(table.types, data.first_types))


def _read(config: Config, path: Path, images: Path, observer: Observer) -> QuestionTable:
    table = read_questions(
        path,
        columns=config.data.columns,
        images=images,
        allow_outside=config.data.allow_outside,
    )
    for note in table.notes:
        observer.notice(f"warning: {note}")
    return table


def _tell_truncation(encoded: EncodedTable, config: Config, observer: Observer, name: str) -> None:
    for is_cut, key, limit in (
        (encoded.is_question_cut, "max_question_tokens", config.text.max_question_tokens),
        (encoded.is_answer_cut, "max_answer_tokens", config.text.max_answer_tokens),
    ):
        if is_cut.any():
            observer.notice(
                f"warning: {is_cut.sum():,} of {counted(len(encoded), f'{name} row')} cut, longer "
                f"than text.{key} = {limit}"
            )
