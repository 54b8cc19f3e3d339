"""Decide which rows form a batch, so that questions share their images.

A pure plan: the same seed and epoch give the same batches, and every row stands
in exactly one.
"""

from __future__ import annotations

from collections import deque

import numpy as np


def plan_batches(
    image_index: np.ndarray,
    *,
    batch_size: int,
    questions_per_image: int,
    seed: int,
    epoch: int,
    shuffle: bool,
) -> list[np.ndarray]:
    """Return the row indices of each batch of one epoch.

    Shuffled: a batch holds at most ``questions_per_image`` questions about one
    image, as long as there are other images to fill it; a last batch below half
    the size is avoided by making all batches slightly smaller. In order: rows
    grouped by image, in full batches.

    Args:
        image_index: image of each row, shape ``(rows,)``.
        batch_size: most questions in a batch.
        questions_per_image: most questions about one image in a shuffled batch.
        seed: of the run.
        epoch: 0-based; each has an order of its own.
        shuffle: for training; evaluation keeps the order.

    Raises:
        ValueError: for a size below 1.
    """
    if batch_size < 1 or questions_per_image < 1:
        raise ValueError(
            f"batch_size {batch_size} and questions_per_image {questions_per_image} "
            "must be at least 1"
        )
    if not shuffle:
        order = np.argsort(image_index, kind="stable")
        return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    rng = np.random.default_rng([seed, epoch])
    chunks = _shuffled_chunks(image_index, questions_per_image, rng)
    return _fill(chunks, image_index, _batch_sizes(len(image_index), batch_size))


def _shuffled_chunks(
    image_index: np.ndarray, questions_per_image: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Cut the shuffled rows of each image into chunks and shuffle these."""
    shuffled = rng.permutation(len(image_index))
    grouped = shuffled[np.argsort(image_index[shuffled], kind="stable")]
    images = image_index[grouped]
    starts = np.flatnonzero(np.diff(images, prepend=-1))
    counts = np.diff(np.append(starts, len(images)))
    place = np.arange(len(images)) - np.repeat(starts, counts)
    cuts = np.flatnonzero(place % questions_per_image == 0)
    chunks = np.split(grouped, cuts[1:]) if len(cuts) else []
    return [chunks[i] for i in rng.permutation(len(chunks))]


def _batch_sizes(rows: int, batch_size: int) -> list[int]:
    full, rest = divmod(rows, batch_size)
    if rest and full and rest < batch_size / 2:
        size, larger = divmod(rows, full + 1)
        return [size + 1] * larger + [size] * (full + 1 - larger)
    return [batch_size] * full + [rest] * bool(rest)


def _fill(chunks: list[np.ndarray], image_index: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Fill the batches in turn; a chunk whose image is in the batch has to wait."""
    queue = deque(chunks)
    waiting: dict[int, deque[np.ndarray]] = {}
    batches = []
    for size in sizes:
        batch: list[np.ndarray] = []
        present: set[int] = set()
        room = size
        for image in list(waiting):
            if room == 0:
                break
            room -= _put(waiting[image].popleft(), room, batch, waiting[image])
            present.add(image)
            if not waiting[image]:
                del waiting[image]
        while room and queue:
            chunk = queue.popleft()
            image = int(image_index[chunk[0]])
            if image in present:
                waiting.setdefault(image, deque()).append(chunk)
                continue
            room -= _put(chunk, room, batch, queue)
            present.add(image)
        while room:  # too few images are left to keep the limit
            image = max(waiting, key=lambda i: len(waiting[i]))
            room -= _put(waiting[image].popleft(), room, batch, waiting[image])
            if not waiting[image]:
                del waiting[image]
        batches.append(np.concatenate(batch))
    return batches


def _put(chunk: np.ndarray, room: int, batch: list[np.ndarray], rest: deque[np.ndarray]) -> int:
    """Put what fits of a chunk into the batch, the remainder first in line."""
    batch.append(chunk[:room])
    if len(chunk) > room:
        rest.appendleft(chunk[room:])
    return min(len(chunk), room)
