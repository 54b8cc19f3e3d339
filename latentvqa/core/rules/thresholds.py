"""Every number that a health rule compares with: the ``[kl_health]`` section.

Rules, plots, pages and the documentation read the fields of this class, so that
no threshold stands in two places. KL values are for mean reduction; rules
convert them for a run that sums over the latent dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Nats = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
Epochs = Annotated[int, Field(ge=0, le=100_000)]


RETIRED = frozenset({"far_above_need"})  # of earlier versions' files, which stay readable


class KLHealthThresholds(BaseModel):
    """Thresholds of the health rules; shares are fractions, losses nats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collapse_kl: Nats = Field(
        default=0.01, description="nats of kl_token; below it, by rule of thumb, a sign of collapse"
    )
    healthy_kl_low: Nats = Field(default=0.03, description="nats of kl_token; healthy band starts")
    healthy_kl_high: Nats = Field(default=0.08, description="nats of kl_token; healthy band ends")
    high_kl: Nats = Field(default=0.15, description="nats of kl_token; above it kl_raw is high")
    high_kl_late: Nats = Field(
        default=0.12, description="nats of kl_token; high if kept up from tuning_epoch on"
    )
    high_kl_stuck: Nats = Field(
        default=0.10, description="nats of kl_token; high if kept up while validation is stuck"
    )
    low_kl_late: Nats = Field(
        default=0.05, description="nats of kl_token; below it from tuning_epoch on the KL is low"
    )
    persistent_kl_low: Nats = Field(
        default=0.02, description="nats of kl_token; kl_raw stuck under free bits, lower end"
    )
    persistent_kl_high: Nats = Field(
        default=0.04, description="nats of kl_token; kl_raw stuck under free bits, upper end"
    )
    healthy_reduction_low: Share = Field(
        default=0.20, description="share; healthy reduction starts"
    )
    healthy_reduction_high: Share = Field(default=0.40, description="share; healthy reduction ends")
    generous_reduction: Share = Field(
        default=0.80, description="share; above it free bits are too high"
    )
    persistent_reduction: Share = Field(
        default=0.70, description="share; above it for persistent_epochs free bits are generous"
    )
    zero_kl_share: Share = Field(
        default=0.005, description="share of kl_raw; below it kl_after counts as 0"
    )
    pressing_kl_share: Share = Field(
        default=0.30,
        description="share of the loss; above it the KL may be what holds the answer back",
    )

    early_kl_low: Nats = Field(
        default=0.02, description="nats of kl_token; expected from early_start to early_epoch on"
    )
    early_kl_high: Nats = Field(default=0.05, description="nats of kl_token; the same, upper end")
    early_reduction_low: Share = Field(
        default=0.30, description="share; reduction expected in those epochs starts"
    )
    early_reduction_high: Share = Field(default=0.70, description="share; the same, upper end")
    late_kl_low: Nats = Field(
        default=0.04, description="nats of kl_token; expected from tuning_epoch to late_end"
    )
    late_kl_high: Nats = Field(default=0.08, description="nats of kl_token; the same, upper end")
    late_reduction_low: Share = Field(
        default=0.30, description="share; reduction expected in those epochs starts"
    )
    late_reduction_high: Share = Field(default=0.60, description="share; the same, upper end")
    full_kl_low: Nats = Field(
        default=0.05, description="nats of kl_token; expected in the full stage"
    )
    full_kl_high: Nats = Field(default=0.09, description="nats of kl_token; the same, upper end")

    early_start: Epochs = Field(default=3, description="epoch; the first monitoring phase starts")
    late_end: Epochs = Field(default=14, description="epoch; the second monitoring phase ends")
    target_epoch: Epochs = Field(
        default=20, description="epoch; from it on the target loss should be reached"
    )
    early_epoch: Epochs = Field(
        default=5, description="epoch; before it nothing that may pass is a fault"
    )
    tuning_epoch: Epochs = Field(default=10, description="epoch; nothing is tuned before it")
    consistent_epochs: Annotated[Epochs, Field(ge=1)] = Field(
        default=3, description="epochs in a row that count as consistent"
    )
    persistent_epochs: Annotated[Epochs, Field(ge=1)] = Field(
        default=7, description="epochs in a row without any penalty"
    )
    plateau_epochs: Annotated[Epochs, Field(ge=1)] = Field(
        default=5, description="epochs since the best validation answer loss"
    )

    overfitting_moderate: Ratio = Field(
        default=2.0, description="overfit ratio: validation / training answer loss"
    )
    overfitting_high: Ratio = Field(
        default=2.5, description="overfit ratio: validation / training answer loss"
    )
    overfitting_act: Ratio = Field(
        default=3.0, description="overfit ratio: validation / training answer loss"
    )
    overfitting_min_loss: Nats = Field(
        default=0.05,
        description="nats per answer token; below it no ratio and no plateau is judged",
    )
    overfitting_min_rise: Share = Field(
        default=0.10, description="share; rise of validation answer loss over its best"
    )
    learning_min_decrease: Share = Field(
        default=0.05, description="share; least fall of the training answer loss by early_epoch"
    )
    fast_train_loss: Nats = Field(
        default=0.2,
        description="nats per answer token; below it by early_epoch training was very fast",
    )
    target_loss: Nats = Field(
        default=0.8, description="nats per answer token; target where the run names none"
    )

    collapse_bound: Ratio = Field(
        default=0.5,
        description="multiple of the information the answers need; bound below it is collapse",
    )
    collapse_gain: Share = Field(
        default=0.1,
        description="share of the information the answers need; gain below it is not learnt",
    )
    collapse_rate: Nats = Field(
        default=0.1,
        description="nats per example at temperature 1; a rate below it is collapse "
        "where the log holds no information measures",
    )
    vanishing_kl: Nats = Field(
        default=2e-4,
        description="nats as logged, of a KL in an unknown reduction; at most so much is left "
        "where it vanishes",
    )
    vanishing_fall: Ratio = Field(
        default=100.0, description="multiple of the last KL that the highest one was"
    )
    partial_tokens: Share = Field(
        default=0.1,
        description="share of the largest token's KL; a token below it, and below collapse_kl, "
        "is unused",
    )
    partial_units: Share = Field(
        default=0.1, description="share of all units; fewer active ones are a partial collapse"
    )
    exploding_kl: Nats = Field(
        default=1.0, description="nats of kl_token; above it a fast growing KL explodes"
    )
    exploding_growth: Ratio = Field(
        default=2.0, description="growth of kl_raw over consistent_epochs that is fast"
    )
    exploded_growth: Ratio = Field(
        default=30.0, description="multiple of the lowest kl_raw; from it on a KL has exploded"
    )
    unpaid_growth: Ratio = Field(
        default=8.0,
        description="multiple of the KL at no worse a reconstruction; from it on a KL in an "
        "unknown reduction explodes",
    )
    absurd_kl: Nats = Field(
        default=1e6, description="nats of kl_raw; above it, and far above its lowest, it is absurd"
    )
    absurd_growth: Ratio = Field(default=1e4, description="multiple of the lowest kl_raw; the same")
    loss_tolerance: Share = Field(
        default=0.05,
        description="share of the total loss by which its logged parts may miss it",
    )
    weight_tolerance: Share = Field(
        default=0.25,
        description="share of the logged KL term; the same, since weight and KL move in an epoch",
    )
    learnt_gain: Share = Field(
        default=0.5,
        description="share of the information the answers need; gain from it on is learnt",
    )
    leak_nats: Nats = Field(default=0.05, description="nats; gain may exceed the bound by so much")
    leak_errors: Ratio = Field(default=2.0, description="standard errors; or by so many of the NLL")
    near_need: Ratio = Field(
        default=1.5,
        description="multiple of the information the answers need; bound below it is near the need",
    )
    memorised_gap: Share = Field(
        default=0.3,
        description="share of the information the answers need; a gain on training rows that "
        "much above validation's is memorised",
    )
    image_share: Share = Field(
        default=0.02,
        description="share of the information the answers need; less of it from the image is none",
    )
    image_errors: Ratio = Field(
        default=2.0,
        description="standard errors; an image gain, or a lead in score, within them may be none",
    )
    pinned_low: Ratio = Field(
        default=0.75, description="multiple of free_bits; kl_raw pinned, lower end"
    )
    pinned_high: Ratio = Field(
        default=1.1, description="multiple of free_bits; kl_raw pinned, upper end"
    )
    pinned_tail: Share = Field(
        default=0.01,
        description="share of kl_token at free_bits or above; from it on the KL is held there "
        "though its mean lies lower",
    )
    pinned_epochs: Annotated[Epochs, Field(ge=1)] = Field(default=3, description="epochs in a row")

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {key: value for key, value in values.items() if key not in RETIRED}
        return values

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        for low, high in _RISING:
            if getattr(self, low) > getattr(self, high):
                raise ValueError(
                    f"{low} = {getattr(self, low)} must not exceed {high} = {getattr(self, high)}"
                )
        return self


_RISING = (
    ("collapse_kl", "healthy_kl_low"),
    ("healthy_kl_low", "healthy_kl_high"),
    ("healthy_kl_high", "high_kl"),
    ("high_kl_stuck", "high_kl_late"),
    ("high_kl_late", "high_kl"),
    ("persistent_kl_low", "persistent_kl_high"),
    ("early_kl_low", "early_kl_high"),
    ("late_kl_low", "late_kl_high"),
    ("full_kl_low", "full_kl_high"),
    ("early_reduction_low", "early_reduction_high"),
    ("late_reduction_low", "late_reduction_high"),
    ("early_start", "early_epoch"),
    ("tuning_epoch", "late_end"),
    ("healthy_reduction_low", "healthy_reduction_high"),
    ("healthy_reduction_high", "generous_reduction"),
    ("overfitting_moderate", "overfitting_high"),
    ("overfitting_high", "overfitting_act"),
    ("collapse_bound", "near_need"),
    ("collapse_gain", "learnt_gain"),
    ("pinned_low", "pinned_high"),
)
