"""What does not change within a run."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from latentvqa.config import Config
from latentvqa.config.resolving import kl_convention
from latentvqa.core.records import KLConvention
from latentvqa.engine.runtime.device import Precision


@dataclass(frozen=True)
class Settings:
    """A resolved configuration and where it runs.

    Attributes:
        config: the resolved configuration.
        device: where the model lies.
        precision: of the forward pass.
    """

    config: Config
    device: torch.device
    precision: Precision

    @property
    def kl(self) -> KLConvention:
        """How the KL is computed and priced."""
        return kl_convention(self.config.kl, self.config.latent)
