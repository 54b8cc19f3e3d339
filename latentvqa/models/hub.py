"""Models of the Hugging Face hub: from its cache, else from the network in one try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from huggingface_hub import constants, get_session, try_to_load_from_cache

HUB_PREFIX = "hf-hub:"
_SECONDS = 5.0

T = TypeVar("T")


def from_hub(load: Callable[[], T]) -> T:
    """Load from the cache; if it is not there and the hub answers, from the hub.

    Without a network the libraries behind ``load`` would ask again and again for
    most of a minute.

    Args:
        load: asks a library of the hub.

    Raises:
        Exception: whatever ``load`` raises.
    """
    try:
        with _offline():
            return load()
    except Exception:
        if not _does_answer():
            raise
    return load()


@contextmanager
def _offline() -> Iterator[None]:
    was = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = was


def _does_answer() -> bool:
    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=_SECONDS)
    except Exception:  # whatever the library behind it calls a missing network
        return False
    return True


def is_at_hand(owner_and_model: str) -> bool:
    """Whether the weights of a model of the hub lie in its cache; asks no network.

    Args:
        owner_and_model: as ``timm/resnet18.a1_in1k``.
    """
    names = ("model.safetensors", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(owner_and_model, name), str) for name in names)
