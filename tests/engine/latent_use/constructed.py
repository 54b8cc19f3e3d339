"""Models whose use of the latent is known because it was built in.

Every model is trained by the real training loop on pictures of one coloured block,
in one of three places of the configuration's space. What no configuration can
produce is built around the model while it trains and while it is examined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from latentvqa.config import load_config
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import train
from latentvqa.models import Posterior, VQAModel
from latentvqa.models.latent import LatentBottleneck
from tests.small_runs import write_rows

SIDE = 48
TRAINED, VALIDATED, EXAMINED = 320, 160, 600  # images
COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 180, 60),
    "blue": (50, 70, 220),
    "yellow": (230, 210, 50),
}
PLACES = {"left": (0, 16), "right": (32, 16), "top": (16, 0), "bottom": (16, 32)}
OFTEN = (0.4, 0.3, 0.2, 0.1)  # how often each occurs, so that guesses have a favourite
NAMES = ("dog", "cat", "cow", "hen")
FILLERS = (
    *("please", "now", "well", "so", "here", "then", "again", "today", "friend", "say"),
    *("look", "think", "guess", "first", "just", "quickly", "really", "kindly", "maybe", "hello"),
)

_RATES = {
    f"optimizer.{name}_rate": 3e-3 for name in ("decoder", "latent", "fusion", "question", "vision")
}
_ALL = {
    "stages.warmup": 6,
    "stages.full": 0,
    "kl.warmup_epochs": 4,
    "fusion.dropout": 0.0,
    "loader.batch_size": 48,
    "run.threads": 1,
    "run.precision": "fp32",
    **_RATES,
}
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "convolutions": {
        "vision.name": "test_resnet",
        "vision.image_size": 32,
        "vision.stride": 8,
        "fusion.width": 32,
        "fusion.layers": 2,
        "latent.tokens": 6,
        "latent.dims": 16,
    },
    "transformers": {
        "vision.name": "test_vit",
        "vision.image_size": 32,
        "vision.stride": "last",
        "vision.freeze_epochs": 1000,
        "vision.layers": 1,
        "text.tokenizer": "bpe",
        "text.question_layers": 2,
        "text.decoder_layers": 2,
        "fusion.width": 48,
        "fusion.layers": 1,
        "fusion.heads": 2,
        "latent.tokens": 4,
        "latent.dims": 32,
        "latent.initial_logvar": -2.0,
        "latent.token_dropout": 0.0,
        "kl.reduction": "sum",
        "kl.free_bits": 3.2,
        "kl.factor": 0.2 / 32,
    },
    "frozen features": {
        "vision.name": "test_efficientnet",
        "vision.image_size": 48,
        "vision.stride": 16,
        "vision.freeze_epochs": 1000,
        "fusion.width": 48,
        "fusion.layers": 1,
        "latent.tokens": 2,
        "latent.dims": 24,
        "latent.token_dropout": 0.1,
        "latent.validation_temperature": 1.0,
        "kl.schedule": "cyclical",
        "kl.cycles": 2,
    },
}


@dataclass(frozen=True)
class Kind:
    """A way in which a latent is used, or is not.

    Attributes:
        changes: of the configuration.
        built_in: what surrounds the model while it trains and answers.
        rows: what is asked: ``picture`` of colour and place, ``name`` of the colour and
            of a word in the question, ``random`` answers.
        trained: images that it is trained on.
    """

    changes: dict[str, Any]
    built_in: Callable[[], AbstractContextManager[None]] = nullcontext
    rows: str = "picture"
    trained: int = TRAINED


@contextmanager
def bypass() -> Iterator[None]:
    """The decoder also sees the fused tokens, and in training the latents of another row."""
    honest = VQAModel.memory

    def memory(self: VQAModel, encoded: Any, latents: Any, **more: Any) -> Any:
        held = honest(self, encoded, _dealt(self, latents), **more)
        return replace(held, tokens=torch.cat([held.tokens, encoded.fused], dim=1))

    with mock.patch.object(VQAModel, "memory", memory):
        yield


@contextmanager
def bypass_of_two_in_three() -> Iterator[None]:
    """Of two questions in three the decoder sees the fused tokens, of the third the latent."""
    honest = VQAModel.memory

    def memory(self: VQAModel, encoded: Any, latents: Any, **more: Any) -> Any:
        held = honest(self, encoded, latents, **more)
        around = (self.asked.sum(1) % 3 > 0)[:, None, None]
        tokens = torch.cat([held.tokens * ~around, encoded.fused * around], dim=1)
        return replace(held, tokens=tokens)

    with _remembered_questions(), mock.patch.object(VQAModel, "memory", memory):
        yield


@contextmanager
def presence() -> Iterator[None]:
    """The decoder reads the question past the latent, if only there is a latent."""
    honest = VQAModel.memory

    def memory(self: VQAModel, encoded: Any, latents: Any, **more: Any) -> Any:
        held = honest(self, encoded, _dealt(self, latents), **more)
        words, mask = self.question(self.asked)
        is_there = latents.norm(dim=(1, 2), keepdim=True).tanh()
        words = words * mask[..., None] * is_there
        return replace(held, tokens=torch.cat([held.tokens, words], dim=1))

    with _remembered_questions(), mock.patch.object(VQAModel, "memory", memory):
        yield


@contextmanager
def dead_half() -> Iterator[None]:
    """The posterior of every second latent token is the prior."""
    honest = LatentBottleneck.posterior

    def posterior(self: LatentBottleneck, fused: Tensor) -> Posterior:
        held = honest(self, fused)
        is_alive = (torch.arange(self.tokens, device=fused.device) % 2 == 0)[:, None]
        return Posterior(held.mu * is_alive, held.logvar * is_alive)

    with mock.patch.object(LatentBottleneck, "posterior", posterior):
        yield


def _dealt(model: VQAModel, latents: Tensor) -> Tensor:
    """In training the latents of other rows, so that what they hold is of no use."""
    if not model.training:
        return latents
    return latents[torch.randperm(len(latents), device=latents.device)]


@contextmanager
def _remembered_questions() -> Iterator[None]:
    """A model keeps the question tokens of the batch that it encoded last."""
    honest = VQAModel.encode_patches

    def encode_patches(
        self: VQAModel, patches: Tensor, image_index: Tensor, question_tokens: Tensor
    ) -> Any:
        self.asked = question_tokens
        return honest(self, patches, image_index, question_tokens)

    with mock.patch.object(VQAModel, "encode_patches", encode_patches):
        yield


CRUSHED = {"kl.free_bits": 0.0, "kl.max_weight": 1000.0, "kl.warmup_epochs": 0}
KINDS: dict[str, Kind] = {
    "used": Kind({}),
    "used on one type": Kind({}, rows="name"),
    "bypass": Kind({"kl.free_bits": 0.0}, bypass),
    "bypass of a wide latent": Kind({}, bypass),
    "partial bypass": Kind({}, bypass_of_two_in_three),
    "blind": Kind({"vision.blind": "true"}),
    "memorising": Kind({"stages.warmup": 20, "loader.batch_size": 16}, rows="random", trained=60),
    "presence only": Kind({}, presence),
    "collapsed": Kind(CRUSHED),
    "half dead": Kind({}, dead_half),
}


@cache
def pictures(folder: Path) -> list[tuple[str, str, str]]:
    """Draw all pictures; the name, colour and place of each."""
    folder.mkdir(parents=True)
    draws = np.random.default_rng(0)
    drawn = []
    for number in range(TRAINED + VALIDATED + EXAMINED):
        colour = draws.choice(list(COLOURS), p=OFTEN)
        place = draws.choice(list(PLACES), p=OFTEN)
        pixels = draws.integers(70, 170, (SIDE, SIDE, 3))
        left, top = PLACES[place] + draws.integers(-4, 5, 2).clip(0)
        block = pixels[top : top + 16, left : left + 16]
        block[:] = np.array(COLOURS[colour]) + draws.integers(-25, 26, block.shape)
        name = f"{number}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        drawn.append((name, str(colour), str(place)))
    return drawn


def write_tables(folder: Path, kind: Kind, images: Path, is_free_text: bool) -> None:
    """Write what a model is trained, validated and examined on, one question an image unseen."""
    drawn, draws = pictures(images), np.random.default_rng(1)
    texts = list(product(FILLERS, repeat=4))
    order = iter(draws.permutation(len(texts)))
    parts = {
        "train": drawn[: kind.trained],
        "val": drawn[TRAINED : TRAINED + VALIDATED],
        "examined": drawn[TRAINED + VALIDATED :],
    }
    for name, part in parts.items():
        rows = [
            (picture, question, answer, what)
            for number, (picture, colour, place) in enumerate(part)
            for question, answer, what in _asked(kind.rows, colour, place, draws)[
                slice(None) if name == "train" else slice(number % 2, None, 2)
            ]
        ]
        if is_free_text:
            rows = [(p, _reworded(q, texts[next(order)]), a, t) for p, q, a, t in rows]
        write_rows(folder / f"{name}.csv", rows, header="image,question,answer,type")


def _asked(
    rows: str, colour: str, place: str, draws: np.random.Generator
) -> list[tuple[str, str, str]]:
    what, where = ("what colour is it ?", colour), ("where is it ?", place)
    if rows == "name":
        word = str(draws.choice(NAMES))
        return [(*what, "colour"), (f"which animal is a {word} ?", word, "name")]
    if rows == "random":
        dealt = draws.choice([*COLOURS, *PLACES], 2)
        return [(what[0], str(dealt[0]), "colour"), (where[0], str(dealt[1]), "place")]
    return [(*what, "colour"), (*where, "place")]


def _reworded(question: str, words: tuple[str, ...]) -> str:
    return f"{words[0]} {words[1]} {question[:-2]} {words[2]} {words[3]} ?"


def train_constructed(run: Path, kind: str, architecture: str, is_free_text: bool) -> QuestionTable:
    """Train one model into a run folder; the table that it shall be examined on."""
    made, images = KINDS[kind], run.parent / "pictures"
    tables = run.with_name(f"{run.name}-tables")
    tables.mkdir()
    write_tables(tables, made, images, is_free_text)
    data = {
        "data.train": tables / "train.csv",
        "data.val": tables / "val.csv",
        "data.images": images,
        "data.keep_copies_together": "false",
    }
    values = {**_ALL, **ARCHITECTURES[architecture], **made.changes, **data}
    with made.built_in():
        train(load_config(None, overrides=[f"{k}={v}" for k, v in values.items()]), run, Observer())
    return read_questions(tables / "examined.csv", images=images)
