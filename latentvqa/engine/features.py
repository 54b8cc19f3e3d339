"""Features of a backbone that does not change: each image is encoded once for many passes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from latentvqa.data.batches import ImageSource
from latentvqa.engine.encoding import EncodingSettings
from latentvqa.engine.runtime.device import Precision, autocast
from latentvqa.engine.runtime.observer import Observer
from latentvqa.models import VisionEncoder
from latentvqa.stopping import poll

_BLOCK = 64  # images
_MEBIBYTE = 2**20
_MOST_MIB = 1024  # beside a table that is evaluated


class FeatureStore:
    """Features by image index.

    Args:
        features: of all images that are known, shape ``(N, P, C)``.
        places: place of each index in them, shape ``(images,)``.
    """

    def __init__(self, features: Tensor, places: np.ndarray) -> None:
        self.places, self._type = places, features.dtype
        # batches are made in a thread of their own: torch would compute there with as many
        # threads as training beside it does, and both would wait for each other
        self._bytes = features.contiguous().view(torch.uint8).numpy()

    def get(self, indices: np.ndarray) -> Tensor:
        """Features of shape ``(n, P, C)``."""
        return torch.from_numpy(self._bytes[self.places[indices]]).view(self._type)


class SomeImages:
    """Some of the images of a source.

    Args:
        source: of all images.
        places: index in it of each of these.
    """

    def __init__(self, source: ImageSource, places: np.ndarray) -> None:
        self.source, self.places = source, places

    def get(self, indices: np.ndarray) -> Tensor:
        """What the source gives for them, shape ``(n, ...)``."""
        return self.source.get(self.places[indices])


@torch.no_grad()
def encoded_block(
    vision: VisionEncoder, pixels: Tensor, device: torch.device, precision: Precision
) -> Tensor:
    """Features of uint8 pixels ``(n, 3, H, W)``, on the CPU: ``(n, P, C)``."""
    with autocast(device, precision):
        return vision.features(pixels.to(device)).cpu()


def collected(
    encode: Callable[[int, int], Tensor],
    count: int,
    most_mib: int,
    *,
    on_block: Callable[[int], None],
    on_excess: Callable[[float], None] = lambda mib: None,
) -> Tensor | None:
    """Features of ``count`` images, block by block; None where they need too much memory.

    Args:
        encode: gives those of the images from one number to another, ``(n, P, C)``.
        count: number N of images.
        most_mib: memory that they may take.
        on_block: is told how many are done.
        on_excess: is told what all would take, in MiB.

    Raises:
        Interrupted: at a signal.
    """
    features: Tensor | None = None
    for start in range(0, count, _BLOCK):
        block = encode(start, min(start + _BLOCK, count))
        if features is None:
            needed = block[0].nbytes * count / _MEBIBYTE
            if needed > most_mib:
                on_excess(needed)
                break
            features = block.new_empty((count, *block.shape[1:]))
        features[start : start + len(block)] = block
        on_block(start + len(block))
        poll()
    return features


def encoded_once(
    vision: VisionEncoder,
    pixels: ImageSource,
    count: int,
    settings: EncodingSettings,
    observer: Observer,
) -> ImageSource:
    """What several passes over the same images read: features, or pixels if there is no room.

    Args:
        vision: in eval mode.
        pixels: the images.
        count: number of them.
        settings: device and precision.
        observer: receives progress.

    Raises:
        DataError: if an image cannot be decoded.
        Interrupted: at a signal.
    """

    def encode(start: int, end: int) -> Tensor:
        block = pixels.get(np.arange(start, end))
        return encoded_block(vision, block, settings.device, settings.precision)

    def on_block(done: int) -> None:
        observer.progress("features of the backbone", done, count)

    features = collected(encode, count, _MOST_MIB, on_block=on_block)
    return pixels if features is None else FeatureStore(features, np.arange(count))
