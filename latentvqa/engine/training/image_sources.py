"""What the batches of a run carry for its images: pixels, or a frozen backbone's features.

While a backbone is frozen it says the same of an image in every epoch. It is
asked once, in an order and in batches that depend on the images alone, so that
every run with the same images and weights has the same features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from latentvqa.core.figures import counted
from latentvqa.data.batches import ImageSource
from latentvqa.data.images import ImageStore
from latentvqa.durable import replace_file
from latentvqa.engine.features import FeatureStore, collected, encoded_block
from latentvqa.engine.runtime.device import numeric_platform
from latentvqa.engine.runtime.file_lock import held_lock
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.runtime.settings import Settings
from latentvqa.errors import DataError
from latentvqa.models import VisionEncoder
from latentvqa.stopping import poll

_BLOCK = 64  # images, of those that whiten
_WHITENED_BY = 512  # images, at most; their channels' means are known well by then
_NAME, _CHECKSUM = "features", "sha256"
_DECODING = 2  # changes with the pixels that files are decoded to
# of each file, in the order of their paths: which side knows it, and by which index
_Images = dict[Path, tuple[int, int]]


class ImageSources:
    """Both sides of a run's data, as its backbone needs them.

    Args:
        settings: configuration, device and precision.
        vision: the encoder whose backbone is frozen.
        train: pixels of the training images.
        val: pixels of the validation images.
        observer: receives progress and notices.

    Attributes:
        train: what training batches are made from.
        val: what validation batches are made from.
    """

    def __init__(
        self,
        settings: Settings,
        vision: VisionEncoder,
        train: ImageStore,
        val: ImageStore,
        observer: Observer,
    ) -> None:
        self.settings, self.vision = settings, vision
        self.observer = observer
        self._pixels = (train, val)
        self._is_frozen = False
        self.train: ImageSource = train
        self.val: ImageSource = val

    def freeze(self, is_frozen: bool, is_beginning: bool = False) -> None:
        """Freeze or unfreeze the backbone, and take the images as it needs them.

        Args:
            is_frozen: whether the backbone is frozen from now on.
            is_beginning: no step was made yet; unless the run begins with weights of
                another one, what follows the backbone is fitted to its features.

        Raises:
            Interrupted: at a signal while features are computed.
            DataError: if an image cannot be decoded, or its features are not finite.
        """
        self.vision.freeze(is_frozen)
        if is_frozen == self._is_frozen:
            return
        self._is_frozen = is_frozen
        self.train, self.val = self._pixels
        images = _all_images(self._pixels)
        features = self._features(images) if is_frozen else None
        if features is not None:
            place_of = {path: place for place, path in enumerate(images)}
            self.train, self.val = (
                FeatureStore(features, np.array([place_of[path] for path in store.paths]))
                for store in self._pixels
            )
        config = self.settings.config
        if is_frozen and is_beginning and config.run.init_from is None and not config.vision.blind:
            self._whiten()

    def _whiten(self) -> None:
        """Fit what follows the backbone to its features of some training images."""
        store = self._pixels[0]
        chosen = sorted(range(len(store.paths)), key=lambda index: store.paths[index])
        chosen = chosen[:: -(-len(chosen) // _WHITENED_BY)]
        if isinstance(self.train, FeatureStore):
            features = self.train.get(np.array(chosen))
        else:
            blocks = range(0, len(chosen), _BLOCK)
            features = torch.cat(
                [self._encoded([(0, i) for i in chosen[at : at + _BLOCK]]) for at in blocks]
            )
        self.vision.begin_whitened(features.to(self.settings.device))

    def _features(self, images: _Images) -> Tensor | None:
        """Features of the images in this order, ``(N, P, C)``; None if there is no room."""
        folder = self.settings.config.loader.feature_folder
        if folder is None:
            return self._computed(images)
        with self._shared(folder / f"{self._key(images)}.safetensors") as file:
            features = read_features(file, self.observer.notice)
            if features is None:
                features = self._computed(images)
                if features is not None:
                    self._write(file, features)
        return features

    def _computed(self, images: _Images) -> Tensor | None:
        limit = self.settings.config.loader.feature_mib
        if not limit:
            return None
        sources, paths = list(images.values()), list(images)

        def encode(start: int, end: int) -> Tensor:
            one = self._encoded(sources[start:end])
            self._require_finite(one, paths[start:end])
            return one

        def on_excess(needed: float) -> None:
            self.observer.notice(
                f"the frozen backbone is run in every epoch: its features of "
                f"{counted(len(sources), 'image')} take {needed:,.0f} MiB, over "
                f"loader.feature_mib = {limit:,}"
            )

        def on_block(done: int) -> None:
            self.observer.progress("features of the backbone", done, len(sources))

        return collected(encode, len(sources), limit, on_block=on_block, on_excess=on_excess)

    def _require_finite(self, features: Tensor, paths: Sequence[Path]) -> None:
        odd = (~torch.isfinite(features)).flatten(1).any(dim=1).nonzero().flatten().tolist()
        if odd:
            others = f" and {len(odd) - 1} more of {len(paths)} images" if len(odd) > 1 else ""
            raise DataError(
                f"{paths[odd[0]]}{others}: the frozen backbone {self.settings.config.vision.name} "
                f"gives features that are not finite, in {self.settings.precision}. Set "
                'run.precision = "fp32", or use other weights.'
            )

    def _encoded(self, sources: Sequence[tuple[int, int]]) -> Tensor:
        """Features of a block of images, on the CPU."""
        settings, size = self.settings, self.vision.preparation.size
        pixels = torch.empty((len(sources), 3, size, size), dtype=torch.uint8)
        for number, store in enumerate(self._pixels):
            mine = [place for place, (side, _) in enumerate(sources) if side == number]
            pixels[mine] = store.get(np.array([sources[place][1] for place in mine], np.int64))
        return encoded_block(self.vision, pixels, settings.device, settings.precision)

    def _key(self, images: _Images) -> str:
        """What the features depend on, as a hash."""
        weights = hashlib.sha256()
        for name, tensor in self.vision.backbone.state_dict().items():
            weights.update(name.encode())
            weights.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
        known: dict[str, Any] = {
            "decoding": _DECODING,
            "backbone": self.settings.config.vision.name,
            "weights": weights.hexdigest(),
            "preparation": asdict(self.vision.preparation),
            "pool": self.vision.pool,
            "device": str(self.settings.device),
            "precision": self.settings.precision,
            "platform": numeric_platform(),
            "images": [
                (str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in images
            ],
        }
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]

    @contextmanager
    def _shared(self, file: Path) -> Iterator[Path]:
        """Keep others from computing the same; they wait, and read it then."""
        file.parent.mkdir(parents=True, exist_ok=True)

        def on_wait(holder: str) -> None:
            self.observer.notice(f"{holder} computes the features; waiting for them")

        with held_lock(file.with_suffix(".lock"), on_wait, poll):
            yield file

    def _write(self, file: Path, features: Tensor) -> None:
        try:
            replace_file(file, features_content(features))
        except OSError as error:
            self.observer.notice(
                f"warning: the features are kept in memory only; {file} cannot be written: {error}"
            )


def features_content(features: Tensor) -> bytes:
    """A file of features, with a checksum of them."""
    return save({_NAME: features}, {_CHECKSUM: _checksum(features)})


def read_features(file: Path, tell: Callable[[str], None]) -> Tensor | None:
    """Features of an earlier run; None if there are none, or none that are whole.

    Args:
        file: where they would be.
        tell: is told of a file that is damaged.
    """
    if not file.is_file():
        return None
    try:
        with safe_open(file, "pt") as stored:
            told = (stored.metadata() or {}).get(_CHECKSUM)
            # a copy, for the file may change while its features are in use
            features: Tensor = stored.get_tensor(_NAME).clone()
        is_whole = told == _checksum(features) and bool(torch.isfinite(features).all())
    except (OSError, SafetensorError):
        is_whole = False
    if is_whole:
        return features
    tell(f"warning: {file} is damaged; its features are computed anew")
    return None


def _checksum(features: Tensor) -> str:
    known = hashlib.sha256(f"{features.dtype} {tuple(features.shape)}".encode())
    known.update(features.contiguous().flatten().view(torch.uint8).numpy().data)
    return known.hexdigest()


def _all_images(stores: Sequence[ImageStore]) -> _Images:
    known = {
        path: (number, index)
        for number, store in enumerate(stores)
        for index, path in enumerate(store.paths)
    }
    return dict(sorted(known.items()))
