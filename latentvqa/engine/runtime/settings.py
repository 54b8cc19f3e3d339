"""The configuration of a run, where it runs, and how precisely: held here alone.

Whoever needs a key asks here each time, so that nobody goes on with an old value.
"""

from __future__ import annotations

import torch

from latentvqa.config import Config
from latentvqa.config.resolving import kl_convention
from latentvqa.core.records import KLConvention
from latentvqa.engine.runtime.device import Precision


class Settings:
    """A resolved configuration and where it runs.

    Args:
        config: the resolved configuration.
        device: where the model lies.
        precision: of the forward pass.

    Attributes:
        initial: the configuration that the run began with.
        config: the one in force; automatic tuning may have changed it.
    """

    initial: Config
    config: Config
    _kl: KLConvention | None

    def __init__(self, config: Config, device: torch.device, precision: Precision) -> None:
        self.device, self.precision = device, precision
        self.begin_with(config)

    def begin_with(self, config: Config) -> None:
        """Take the configuration that the run begins with, before its first step."""
        self.initial = config
        self.adopt(config)

    def adopt(self, config: Config) -> None:
        """Go on under another configuration; the initial one stays known."""
        self.config = config
        self._kl = None

    @property
    def kl(self) -> KLConvention:
        """How the KL is computed and priced under the configuration in force.

        Raises:
            ValueError: if ``kl.free_bits = "auto"`` has no number yet.
        """
        if self._kl is None:
            self._kl = kl_convention(self.config.kl, self.config.latent)
        return self._kl
