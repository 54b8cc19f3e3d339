"""A trained model from its checkpoint alone: offline, with no settings to match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from latentvqa.config import KL, Latent
from latentvqa.config.resolving import kl_convention
from latentvqa.data.decoding import MAX_PIXELS
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.durable import replace_file
from latentvqa.engine.assembly import build_model
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runtime.device import Precision, choose_device
from latentvqa.engine.scoring import ScoringSettings
from latentvqa.engine.specification import ModelSpecification
from latentvqa.errors import CheckpointError
from latentvqa.models import VQAModel, load_own_state, whole_weights


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to answer.

    Attributes:
        folder: checkpoint that it was read from.
        model: in eval mode, on ``device``.
        tokenizers: of questions and answers.
        spec: its shape.
        facts: content of ``model.json``.
        device: where it lies.
        precision: of the forward pass, as in training.
        logit_temperature: what logits are divided by for a confidence; None
            where it was never fitted.
        notes: what the reader should know.
    """

    folder: Path
    model: VQAModel
    tokenizers: Tokenizers
    spec: ModelSpecification
    facts: Mapping[str, Any]
    device: torch.device
    precision: Precision
    logit_temperature: float | None
    notes: tuple[str, ...]

    @property
    def has_latent(self) -> bool:
        """Whether the decoder reads latent tokens."""
        return self.model.bottleneck is not None and self._is_latent_used

    @property
    def max_pixels(self) -> int:
        """Larger images are faults, as they were in training."""
        return int(self.facts.get("max_pixels", MAX_PIXELS))

    @property
    def _is_latent_used(self) -> bool:
        return (self.facts.get("record") or {}).get("stage") != "baseline"

    def scoring_settings(self, *, batch_size: int, samples: int = 0) -> ScoringSettings:
        """Settings that score a table as validation did in training."""
        latent, kl = Latent(**self.facts["latent"]), KL(**self.facts["kl"])
        record = self.facts.get("record") or {}
        mean_weight = record.get("effective_kl_weight") or 0.0  # all that older checkpoints hold
        return ScoringSettings(
            kl=kl_convention(kl, latent),
            effective_weight=float(self.facts.get("effective_kl_weight", mean_weight)),
            orthogonality_weight=latent.orthogonality_weight,
            temperature=latent.validation_temperature,
            seed=int(self.facts["seed"]),
            batch_size=batch_size,
            workers=0,
            device=self.device,
            precision=self.precision,
            is_latent_used=self._is_latent_used,
            samples=samples,
            language=self.tokenizers.rules_of(str(self.facts.get("language", ""))),
            logit_temperature=self.logit_temperature or 1.0,
        )


def load_model(path: Path, device: str = "auto") -> LoadedModel:
    """Rebuild a model from a run folder, its ``best``, its ``last`` or a checkpoint.

    Raises:
        CheckpointError: if nothing there can be loaded.
        ConfigError: if the device cannot be used.
    """
    checkpoint = load_checkpoint(path)
    place = choose_device(device)
    spec = ModelSpecification.from_json(checkpoint.model["specification"], checkpoint.folder)
    model = build_model(spec)
    try:
        load_own_state(model, checkpoint.weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{checkpoint.folder}: the weights do not fit the model of this version: {error}"
        ) from error
    precision: Precision = checkpoint.model["precision"]
    return LoadedModel(
        folder=checkpoint.folder,
        model=model.to(place).eval(),
        tokenizers=Tokenizers.from_json(checkpoint.tokenizers),
        spec=spec,
        facts=checkpoint.model,
        device=place,
        precision=precision if place.type != "mps" else "fp32",
        logit_temperature=checkpoint.logit_temperature,
        notes=checkpoint.notes,
    )


def export_backbone(run: Path, path: Path) -> None:
    """Write the backbone of a run's best checkpoint.

    Raises:
        CheckpointError: if the run cannot be loaded.
        ConfigError: if its backbone has no names of its own in the whole model.
    """
    loaded = load_model(run, "cpu")
    spec, backbone = loaded.spec, loaded.model.vision.backbone
    weights = whole_weights(spec.vision_name, backbone, spec.vision_description)
    replace_file(path, save(weights))
