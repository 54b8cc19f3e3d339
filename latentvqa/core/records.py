"""What a run writes down: one header and one record per epoch.

Plain frozen values. Reading and writing files is the job of
:mod:`latentvqa.history`. ``None`` means that the log does not carry the value;
no rule may guess it. Losses and information are in nats, shares are fractions,
epochs are 0-based. Long, because it is the one table of fields of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator

from latentvqa.core.logged_values import (
    Flag,
    FlagByName,
    FreeByName,
    Integer,
    Integers,
    Number,
    NumberByName,
    Numbers,
    Text,
    TextByName,
    Texts,
)

Stage = Literal["baseline", "warmup", "full", "unknown"]  # unknown: only in other tools' logs
Reduction = Literal["mean", "sum"]
KLSchedule = Literal["linear", "constant", "cyclical", "controller"]
Bottleneck = Literal["gaussian", "deterministic", "none"]


@dataclass(frozen=True)
class KLConvention:
    """How the KL term of a run was computed and priced.

    Attributes:
        reduction: how ``kl_dim`` was reduced over the latent dimensions.
        tokens: latent tokens K.
        dims: dimensions per latent token Z.
        free_bits: allowance per latent token, in nats of ``kl_token``.
        factor: multiplies the scheduled weight.
        max_weight: scheduled weight at its full height.
        bottleneck: kind of bottleneck; only ``gaussian`` has a KL.
        is_assumed: true where the log did not say and the default recipe's
            convention was taken for it.
        unknown: fields above that are not known and that nothing may be assumed for;
            rules that need one do not judge.
    """

    reduction: Reduction = "mean"
    tokens: Integer = 6
    dims: Integer = 256
    free_bits: Number = 0.1
    factor: Number = 0.2
    max_weight: Number = 15.0
    bottleneck: Bottleneck = "gaussian"
    is_assumed: Flag = False
    unknown: Texts = ()

    @property
    def unit_scale(self) -> float:
        """Factor from mean-reduced thresholds to this convention: 1 or Z."""
        return float(self.dims) if self.reduction == "sum" else 1.0


@dataclass(frozen=True)
class StagePlan:
    """Epochs per stage, in order."""

    baseline: Integer = 0
    warmup: Integer = 15
    full: Integer = 35

    @property
    def total(self) -> int:
        """Epochs of all stages together."""
        return self.baseline + self.warmup + self.full


@dataclass(frozen=True)
class RunHeader:
    """First line of ``metrics.jsonl``: what the epochs were made with.

    Attributes:
        kl: the KL convention.
        stages: planned epochs per stage.
        temperature: latent temperature in training, after its warm-up.
        validation_temperature: latent temperature of the validation loss.
        kl_schedule: how the KL weight moves; a controller's need not come to
            ``max_weight``.
        warmup_epochs: epochs over which the KL weight rises, or has its cycles;
            None under a controller.
        vision_frozen_epochs: epochs at the start with a frozen backbone.
        teacher_weight: weight of the preference loss; 0 when off.
        target: validation loss that the run aims at, in nats.
        patience: epochs without improvement before stopping.
        name: name of the run folder.
        seed: seed of the run.
        versions: package versions, by name.
        data: fingerprints of the tables, by role (``train``, ``val``), and the
            bad images that were ``skipped``.
        thresholds: the resolved ``[kl_health]`` section.
        blind: nats per answer (``nll``) and share of right answers (``exact_match``)
            on validation rows of every image-blind model fitted on training rows,
            by its name.
        sees_images: false where no image reaches the model.
        counts_epochs: false where a record's ``epoch`` numbers windows of steps,
            because the log has no epochs; rules with epoch windows do not judge.
        unjudged: why the log holds no KL of a posterior, as a sentence; empty where
            it may hold one.
        kl_candidates: columns of another tool's log that look like a KL and are not
            read as one.
        kl_resolution: nats by which ``kl_raw`` may be rounded in the log.
    """

    kl: KLConvention = field(default_factory=KLConvention)
    stages: StagePlan = field(default_factory=StagePlan)
    temperature: Number | None = None
    validation_temperature: Number | None = None
    kl_schedule: KLSchedule | None = None
    warmup_epochs: Integer | None = None
    vision_frozen_epochs: Integer | None = None
    teacher_weight: Number | None = None
    target: Number | None = None
    patience: Integer | None = None
    name: Text = ""
    seed: Integer | None = None
    versions: TextByName = field(default_factory=dict)
    data: FreeByName = field(default_factory=dict)
    thresholds: NumberByName = field(default_factory=dict)
    blind: Mapping[Text, NumberByName] = field(default_factory=dict)
    sees_images: Flag = True
    counts_epochs: Flag = True
    unjudged: Text = ""
    kl_candidates: Texts = ()
    kl_resolution: Number = 0.0

    @property
    def is_own(self) -> bool:
        """Whether LatentVQA itself wrote the log."""
        return bool(self.versions)

    @property
    def validation_images(self) -> int | None:
        """Distinct images of the validation rows; None where the log does not say."""
        table = self.data.get("val")
        images = table.get("images") if isinstance(table, Mapping) else None
        return images if isinstance(images, int) else None


@dataclass(frozen=True)
class Histogram:
    """Counts and sums of ``kl_token`` over examples and tokens.

    Bin ``i`` holds ``edges[i-1] <= x < edges[i]``; the first and the last bin
    are open. There is one bin more than there are edges, and one edge lies at
    free_bits where the values reach that far.
    """

    edges: Numbers
    counts: Integers
    sums: Numbers


def _require_whole(histogram: Histogram) -> Histogram:
    if not len(histogram.counts) == len(histogram.sums) == len(histogram.edges) + 1:
        raise ValueError("torn")
    return histogram


WholeHistogram = Annotated[Histogram, AfterValidator(_require_whole)]


@dataclass(frozen=True)
class SplitMetrics:
    """Measures of one pass over one split.

    Attributes:
        rows: questions that were counted.
        temperature: latent temperature of this pass.
        total_loss: loss without the teacher term.
        answer_loss: nats per answer token.
        answer_nll: nats per answer.
        orthogonality: mean squared cosine between memory tokens.
        teacher_loss: preference loss before its weight.
        exact_match: share of answers equal to a reference.
        kl_raw: mean ``kl_token`` before free bits.
        kl_after: the same after free bits.
        kl_tokens: mean ``kl_token`` of each of the K tokens.
        kl_histogram: distribution of ``kl_token``.
        rate: nats per example, KL summed over tokens and dimensions.
        information_bound: bounds of single latent dimensions at ``temperature``,
            added up, in nats; they count what several say together several times.
        judged_rows: of them those that losses and information are taken over: the
            target is neither cut nor holds a token that training never had in one.
        capacity: most nats that the rows' latents can tell at ``temperature``.
        answer_entropy: plug-in H(A) of the judged rows' targets, in nats.
        prior_nll: nats per answer of the answer prior fitted on training rows.
        blind_nll: nats per answer of the best image-blind model fitted on them.
        answer_gain: ``prior_nll`` minus ``answer_nll``, in nats; H(A) minus it in
            logs without a prior.
        image_gain: ``blind_nll`` minus ``answer_nll``, in nats.
        image_gain_error: standard error of ``image_gain`` over images, in nats.
        answer_nll_error: standard error of ``answer_nll``, in nats.
        kl_share: weighted KL over ``total_loss``.
        active_units: dimensions whose posterior mean varies above 0.01.
    """

    rows: Integer | None = None
    temperature: Number | None = None
    total_loss: Number | None = None
    answer_loss: Number | None = None
    answer_nll: Number | None = None
    orthogonality: Number | None = None
    teacher_loss: Number | None = None
    exact_match: Number | None = None
    kl_raw: Number | None = None
    kl_after: Number | None = None
    kl_tokens: Numbers | None = None
    kl_histogram: WholeHistogram | None = None
    rate: Number | None = None
    judged_rows: Integer | None = None
    information_bound: Number | None = None
    capacity: Number | None = None
    answer_entropy: Number | None = None
    prior_nll: Number | None = None
    blind_nll: Number | None = None
    answer_gain: Number | None = None
    image_gain: Number | None = None
    image_gain_error: Number | None = None
    answer_nll_error: Number | None = None
    kl_share: Number | None = None
    active_units: Integer | None = None

    @property
    def penalty_reduction(self) -> float | None:
        """Share of the KL that free bits take away; None where undefined."""
        if self.kl_raw is None or self.kl_after is None or self.kl_raw <= 0.0:
            return None
        share = (self.kl_raw - self.kl_after) / self.kl_raw
        return share if abs(share) > 1e-9 else 0.0  # sums of the same values may differ in a bit


@dataclass(frozen=True)
class TeacherCounts:
    """Questions of an epoch in the teacher's eyes."""

    compared: Integer = 0
    differing: Integer = 0
    violating: Integer = 0


@dataclass(frozen=True)
class TuningEvent:
    """One step of automatic tuning, taken after an epoch.

    Attributes:
        epoch: the epoch after which it was taken.
        action: ``change``, and later ``keep`` or ``undo`` of that change.
        rule: code of the rule whose advice it is.
        key: dotted configuration key.
        before: value until then.
        after: value from then on.
        best_before: best validation answer loss at the change, nats per token.
        best_after: best since then, when the change is judged.
    """

    epoch: Integer
    action: Literal["change", "keep", "undo"]
    rule: Text
    key: Text
    before: Number
    after: Number
    best_before: Number
    best_after: Number | None = None


@dataclass(frozen=True)
class EpochRecord:
    """One epoch.

    Attributes:
        epoch: 0-based number.
        stage: stage of the epoch.
        train: measures of the training pass.
        val: measures of the validation pass.
        kl_weight: scheduled weight, mean over the epoch's steps.
        effective_kl_weight: ``kl_weight`` times factor: what multiplied
            ``kl_after`` in the loss, mean over the epoch's steps.
        beta: price per nat of rate when the loss is written per answer.
        learning_rates: rate at the end of the epoch, by parameter group.
        trainable: whether a parameter group was trained, by group.
        gates: tanh of the fusion gates.
        teacher: the teacher's pair counts; None outside the full stage.
        gradient_norm: mean norm before clipping.
        steps: optimizer steps in the epoch.
        seconds: wall time by phase.
        questions_per_second: throughput by phase.
        peak_memory_mib: highest memory use so far.
        best_epoch: epoch of the best watched value so far.
        best_value: that value, in nats; a share where exact match is watched.
        patience_used: full-stage epochs since the best.
        reached_target_epoch: first epoch below the target, if any.
        tuning: what automatic tuning did after the epoch, if anything.
    """

    epoch: Integer
    stage: Stage
    train: SplitMetrics = field(default_factory=SplitMetrics)
    val: SplitMetrics = field(default_factory=SplitMetrics)
    kl_weight: Number | None = None
    effective_kl_weight: Number | None = None
    beta: Number | None = None
    learning_rates: NumberByName = field(default_factory=dict)
    trainable: FlagByName = field(default_factory=dict)
    gates: Numbers = ()
    teacher: TeacherCounts | None = None
    gradient_norm: Number | None = None
    steps: Integer | None = None
    seconds: NumberByName = field(default_factory=dict)
    questions_per_second: NumberByName = field(default_factory=dict)
    peak_memory_mib: Number | None = None
    best_epoch: Integer | None = None
    best_value: Number | None = None
    patience_used: Integer | None = None
    reached_target_epoch: Integer | None = None
    tuning: TuningEvent | None = None

    @property
    def overfitting_ratio(self) -> float | None:
        """Validation over training answer loss; None where undefined."""
        if self.val.answer_loss is None or not self.train.answer_loss:
            return None
        return self.val.answer_loss / self.train.answer_loss
