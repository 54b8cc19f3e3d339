"""What a health rule is, what it sees and what it says.

A rule looks at one epoch with its past and answers with a judgement, with
silence, or with the reason why it could not judge. It prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from latentvqa.core.latent_use import LatentUseVerdict, LatentUseWord
from latentvqa.core.records import EpochRecord, RunHeader, SplitMetrics
from latentvqa.core.rules.thresholds import KLHealthThresholds

Level = Literal["ok", "not judged", "info", "warning", "critical"]
LEVELS: tuple[Level, ...] = ("ok", "not judged", "info", "warning", "critical")
Values = Mapping[str, float | int | None]
Subject = Literal["evidence", "latent", "answers", "kl", "run"]

RULE_OF_THUMB = "rule of thumb (recipe-origins)"  # source of checks that began as a recipe


@dataclass(frozen=True)
class Advice:
    """One change of the configuration to try.

    Attributes:
        key: dotted key of the configuration, such as ``kl.factor``.
        before: value that the run has now.
        after: value to try.
    """

    key: str
    before: float
    after: float


@dataclass(frozen=True)
class Finding:
    """One thing that a rule saw.

    Attributes:
        code: stable short code, such as ``KL003``.
        name: stable name, such as ``kl_high``.
        level: severity.
        sentence: what was seen, with its numbers.
        epochs: first and last epoch of the latest stretch in which it held.
        is_open: whether it holds at the last record.
        observed: measured values, by name.
        limit: the thresholds they were compared with, in the run's convention.
        advice: one change to try, or None.
        source: where the rule comes from.
        is_early: whether later epochs of the plan may still undo it.
    """

    code: str
    name: str
    level: Level
    sentence: str
    epochs: tuple[int, int]
    is_open: bool
    observed: Values = field(default_factory=dict)
    limit: Values = field(default_factory=dict)
    advice: Advice | None = None
    source: str = ""
    is_early: bool = False


@dataclass(frozen=True)
class Judgement:
    """What a rule says about one epoch; early where later ones may still undo it."""

    level: Level
    sentence: str
    observed: Values = field(default_factory=dict)
    limit: Values = field(default_factory=dict)
    is_early: bool = False


@dataclass(frozen=True)
class NotJudged:
    """Why a rule could not judge an epoch."""

    reason: str


Outcome = Judgement | NotJudged | None


@dataclass(frozen=True)
class Tested:
    """What the latent-use test says of a rule; where it was run, it decides.

    Attributes:
        level: of the finding where the test alone shows it.
        shown_by: verdicts of the test that show what the rule looks for.
        refuted_by: verdicts that show that it is not so, whatever the log says.
        next_step: what to do then, where the rule's own step is to run the test.
    """

    level: Level
    shown_by: tuple[LatentUseWord, ...]
    refuted_by: tuple[LatentUseWord, ...] = ()
    next_step: str = ""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule, whole: tables, explanations, precedence and advice are read from here.

    Attributes:
        code: stable short code, such as ``KL003``.
        name: stable name, such as ``kl_high``.
        meaning: what it says about a run, in a sentence.
        why: the reason behind it.
        source: where it comes from.
        rank: place among findings of one level, unique: the lowest speaks for the run.
        judge: what it says about one epoch.
        advice: the change to try where it holds, if any was shown to cure it.
        thresholds: fields of the ``[kl_health]`` section that it compares with.
        subject: what it speaks of. ``evidence``: whether the logged measures can
            be trusted. ``latent``: whether the latent carries the answers, its
            sentence holding every measure of it. ``answers``: whether they are
            learnt, and from what. ``kl``: the KL alone, which
            information overrules. ``run``: anything else.
        next_step: what to do first where it leads and advises no change; empty
            for the general answer.
        look_at: what to look at where it is a warning that leads and no change is advised.
        waits: whether its next step is to let the run go on, which a finished run cannot.
        needs_epochs: whether it has an epoch window, so that a log without
            epochs cannot be judged by it.
        tested: what the latent-use test shows of it; None where it shows nothing.
    """

    code: str
    name: str
    meaning: str
    why: str
    source: str
    rank: int
    judge: Callable[[RunView], Outcome]
    advice: Callable[[RunView], Advice | None] | None = None
    thresholds: tuple[str, ...] = ()
    subject: Subject = "run"
    next_step: str = ""
    look_at: str = ""
    waits: bool = False
    needs_epochs: bool = False
    tested: Tested | None = None


@dataclass(frozen=True)
class RunView:
    """One epoch of a run together with its past, as a rule sees it.

    Attributes:
        header: what the run was made with.
        records: all records, in rising epochs.
        index: position of the judged record; a rule never looks beyond it.
        thresholds: the limits, for mean reduction.
        best_val: position of the best validation answer loss up to each record.
        test: verdict of the latent-use test on the best checkpoint, which comes
            after the last epoch; None before it, and where none was run.
    """

    header: RunHeader
    records: Sequence[EpochRecord]
    index: int
    thresholds: KLHealthThresholds
    best_val: Sequence[int | None]
    test: LatentUseVerdict | None = None

    @property
    def record(self) -> EpochRecord:
        """The judged record."""
        return self.records[self.index]

    @property
    def latent_epoch(self) -> int:
        """Epoch counted from the first one with a latent."""
        return self.record.epoch - self.header.stages.baseline

    @property
    def is_early(self) -> bool:
        """Whether it is too early to call anything a fault."""
        return self.header.counts_epochs and self.latent_epoch < self.thresholds.early_epoch

    @property
    def is_late(self) -> bool:
        """Whether tuning may begin; never where the log has no epochs."""
        return self.header.counts_epochs and self.latent_epoch >= self.thresholds.tuning_epoch

    @property
    def is_over(self) -> bool:
        """Whether the plan is done or patience has run out; false where no plan is known."""
        header, used = self.header, self.record.patience_used
        is_patience_out = (
            used is not None and header.patience is not None and used >= header.patience
        )
        return header.is_own and (is_patience_out or self.record.epoch + 1 >= header.stages.total)

    @property
    def is_due(self) -> bool:
        """Whether waiting for more epochs is no answer any more."""
        return self.is_late or self.is_over

    @property
    def has_latent(self) -> bool:
        """Whether the decoder sees a Gaussian latent in this run and this stage."""
        return self.header.kl.bottleneck == "gaussian" and self.record.stage != "baseline"

    @property
    def has_kl(self) -> bool:
        """Whether a KL with a price exists in this run and this stage."""
        kl = self.header.kl
        is_known = not {"max_weight", "factor"} & set(kl.unknown)
        return self.has_latent and (not is_known or kl.max_weight * kl.factor > 0.0)

    @property
    def is_warming_up(self) -> bool:
        """Whether the KL weight still rises to its maximum; false where unknown.

        A controller's weight need not come to it, and a cycle falls back from it.
        """
        weight = finite(self.record.kl_weight)
        if self.header.kl_schedule not in (None, "linear") or weight is None:
            return False
        full = self.header.kl.max_weight * (1.0 - 1e-6)
        past = (finite(record.kl_weight) for record in self.records[: self.index])
        has_been_full = any(held is not None and held >= full for held in past)
        return weight < full and (self.header.is_own or not has_been_full)

    def missing(self, *names: str) -> NotJudged | None:
        """Why a rule that needs these parts of the KL convention cannot judge, if so.

        Args:
            names: fields of :class:`~latentvqa.core.records.KLConvention`; dims
                count as needed only where ``kl_token`` is a sum over them.
        """
        kl = self.header.kl
        unknown = [
            name
            for name in names
            if name in kl.unknown and not (name == "dims" and kl.reduction == "mean")
        ]
        if not unknown:
            return None
        keys = [f"{'latent' if name in ('tokens', 'dims') else 'kl'}.{name}" for name in unknown]
        options = " ".join(f"--set {key}=..." for key in keys)
        return NotJudged(f"the log does not say {', '.join(keys)} (give {options})")

    def kl_limit(self, threshold: float) -> float:
        """A KL threshold in the convention of this run."""
        return threshold * self.header.kl.unit_scale

    def last(self, epochs: int) -> Sequence[EpochRecord]:
        """The last so many records up to the judged one; fewer at the start."""
        return self.records[max(self.index + 1 - epochs, 0) : self.index + 1]


def views(
    header: RunHeader,
    records: Sequence[EpochRecord],
    thresholds: KLHealthThresholds,
    test: LatentUseVerdict | None = None,
) -> list[RunView]:
    """One view per record; the last one knows the latent-use test, if there was one."""
    best: list[int | None] = []
    for index, record in enumerate(records):
        previous = best[-1] if best else None
        loss = finite(record.val.answer_loss)
        if loss is None:
            best.append(previous)
            continue
        held = None if previous is None else records[previous].val.answer_loss
        best.append(index if held is None or loss < held else previous)
    last = len(records) - 1
    return [
        RunView(header, records, i, thresholds, best, test if i == last else None)
        for i in range(len(records))
    ]


def kl_split(record: EpochRecord) -> SplitMetrics:
    """The split that KL rules judge: training, or validation where it is absent."""
    return record.train if finite(record.train.kl_raw) is not None else record.val


def severity(level: Level) -> int:
    """A level as a number, rising."""
    return LEVELS.index(level)


def finite(value: float | None) -> float | None:
    """The value, or None where it is missing, NaN or infinite."""
    return value if value is not None and math.isfinite(value) else None
