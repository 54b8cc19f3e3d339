"""What a configuration leaves open, resolved: every "auto", with or without the data."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from latentvqa.config import KL, Config, Latent, conflicts
from latentvqa.core.records import KLConvention
from latentvqa.core.schedules.free_bits import automatic_free_bits
from latentvqa.errors import ConfigError

# from scratch: small images in patches of this many pixels, chosen by measurement
SCRATCH_IMAGE_SIZE = 96


SCRATCH_STRIDE = 16


PRETRAINED_FREEZE_EPOCHS = 3


PRETRAINED_VISION_RATE = 5e-5


PRETRAINED_TEXT_RATE = 5e-5


SCRATCH_RATE = 5e-4


AUTOMATIC_COLOUR = 0.5


AUTOMATIC_BATCHES = 250  # an epoch


AUTOMATIC_BATCH_SIZES = (32, 64, 128, 256, 512)


AUTOMATIC_IMAGES = 32  # in a batch, at least


BY_DATA = ("kl.free_bits", "loader.batch_size", "loader.questions_per_image")
"""Keys whose ``"auto"`` becomes a number when the training table is known."""


def resolve(config: Config) -> Config:
    """Replace every ``"auto"`` that does not depend on the data or the device."""
    vision, is_pretrained = config.vision, config.vision.pretrained is not False
    changes: dict[str, object] = {}
    if vision.stride == "auto":
        changes["stride"] = "last" if is_pretrained else SCRATCH_STRIDE
    if vision.image_size == "auto" and not is_pretrained:
        changes["image_size"] = SCRATCH_IMAGE_SIZE
    if vision.freeze_epochs == "auto":
        changes["freeze_epochs"] = PRETRAINED_FREEZE_EPOCHS if is_pretrained else 0
    config = config.replace("vision", **changes)
    if config.optimizer.vision_rate == "auto":
        rate = PRETRAINED_VISION_RATE if is_pretrained else SCRATCH_RATE
        config = config.replace("optimizer", vision_rate=rate)
    for key, source in (("question", config.text.encoder), ("decoder", config.text.decoder)):
        if getattr(config.optimizer, f"{key}_rate") == "auto":
            rate = SCRATCH_RATE if source is None else PRETRAINED_TEXT_RATE
            config = config.replace("optimizer", **{f"{key}_rate": rate})
    if config.kl.warmup_epochs == "auto":
        config = config.replace("kl", warmup_epochs=config.stages.warmup)
    return config


def resolve_augment(config: Config, falsified: Mapping[str, int]) -> Config:
    """Replace ``"auto"`` in the ``[augment]`` section by what the training texts allow.

    Args:
        config: the configuration.
        falsified: how many training texts each change would falsify, by key.
    """
    allowed: dict[str, object] = {"flip": True, "colour": AUTOMATIC_COLOUR}
    refused: dict[str, object] = {"flip": False, "colour": 0.0}
    changes = {
        key: refused[key] if falsified[key] else allowed[key]
        for key in allowed
        if getattr(config.augment, key) == "auto"
    }
    return config.replace("augment", **changes)


def open_keys(config: Config) -> tuple[str, ...]:
    """Those of :data:`BY_DATA` that have no number yet."""
    return tuple(key for key in BY_DATA if attrgetter(key)(config) == "auto")


def resolve_by_data(config: Config, *, answer_entropy: float, questions: int) -> Config:
    """Replace every ``"auto"`` that waits for the training table.

    Args:
        config: the configuration.
        answer_entropy: H(A) of the encoded training answers, in nats.
        questions: rows of the training table.

    Raises:
        ConfigError: if a number does not go with another key.
    """
    return _resolve_free_bits(_resolve_batches(config, questions), answer_entropy)


def _resolve_batches(config: Config, questions: int) -> Config:
    """Batches as large as leave enough steps, and of enough images for their statistics."""
    fitting = [one for one in AUTOMATIC_BATCH_SIZES if one * AUTOMATIC_BATCHES <= questions]
    asked, most = config.loader.batch_size, config.loader.questions_per_image
    size = max(fitting, default=AUTOMATIC_BATCH_SIZES[0]) if asked == "auto" else asked
    if most == "auto":
        most = max(1, size // AUTOMATIC_IMAGES)
    return config.replace("loader", batch_size=size, questions_per_image=most)


def _resolve_free_bits(config: Config, answer_entropy: float) -> Config:
    kl, latent = config.kl, config.latent
    if kl.free_bits != "auto":
        return config
    free_bits = automatic_free_bits(
        answer_entropy, kl.free_bits_per_need, latent.tokens, latent.dims, kl.reduction
    )
    config = config.replace("kl", free_bits=free_bits)
    found = [f"{key} {what}" for key, what in conflicts(config)]
    if found:
        raise ConfigError(f'kl.free_bits = "auto" is {free_bits:.3g} here: {"; ".join(found)}')
    return config


def kl_convention(kl: KL, latent: Latent) -> KLConvention:
    """State how the KL of a run is computed and priced."""
    if kl.free_bits == "auto":
        raise ValueError("the configuration is not resolved: kl.free_bits")
    return KLConvention(
        reduction=kl.reduction,
        tokens=latent.tokens,
        dims=latent.dims,
        free_bits=kl.free_bits,
        factor=kl.factor,
        max_weight=kl.max_weight,
        bottleneck=latent.bottleneck,
    )
