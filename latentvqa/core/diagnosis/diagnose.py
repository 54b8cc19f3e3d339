"""From records to a verdict: every rule at every epoch, then one sentence.

Pure: the caller prints. The verdict counts open findings only, those that hold
at the last record; among the most severe, precedence decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from latentvqa.core.diagnosis.account import AccountLine, information_account
from latentvqa.core.diagnosis.tuning_events import tuned_header
from latentvqa.core.diagnosis.verdict import (
    NextStep,
    Verdict,
    disagreement_of,
    next_step,
    place_of,
    rank,
    verdict_on,
)
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.rules.capacity import INFORMATION_RULES
from latentvqa.core.rules.collapse import COLLAPSE_RULES
from latentvqa.core.rules.kl_checks import KL_RULES
from latentvqa.core.rules.kl_regime import REGIME_RULES
from latentvqa.core.rules.log import LOG_RULES
from latentvqa.core.rules.phases import PHASE_RULES
from latentvqa.core.rules.rule import (
    Finding,
    Judgement,
    Level,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    figure,
    views,
)
from latentvqa.core.rules.teacher import TEACHER_RULES
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.core.rules.training import TRAINING_RULES

RULES: tuple[Rule, ...] = (
    *LOG_RULES,
    *COLLAPSE_RULES,
    *INFORMATION_RULES,
    *REGIME_RULES,
    *TEACHER_RULES,
    *TRAINING_RULES,
    *KL_RULES,
    *PHASE_RULES,
)

NO_EPOCHS = NotJudged("the log has no epochs (give --steps-per-epoch N)")


@dataclass(frozen=True)
class Diagnosis:
    """Everything that the rules say about a run.

    Attributes:
        verdict: the conclusion.
        findings: open ones first, each group by severity and precedence.
        next_step: one thing to do now.
        not_judged: rules that lacked values at the last record, with the reason.
        notes: assumptions and faults of the log.
        account: the information measures, each with what it means for this run.
        disagreement: which to trust where the notes' checks and the information
            say different things; empty where they agree.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    next_step: NextStep = field(default_factory=NextStep)
    not_judged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    account: tuple[AccountLine, ...] = ()
    disagreement: str = ""

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Findings that hold at the last record."""
        return tuple(finding for finding in self.findings if finding.is_open)

    def is_at_least(self, level: Level) -> bool:
        """Whether an open finding reaches a level."""
        return any(rank(finding.level) >= rank(level) for finding in self.open_findings)


def diagnose(
    header: RunHeader,
    records: Sequence[EpochRecord],
    thresholds: KLHealthThresholds | None = None,
    notes: Sequence[str] = (),
) -> Diagnosis:
    """Judge a run from its log alone.

    Args:
        header: what the run was made with.
        records: its epochs, in any order.
        thresholds: limits of the rules; the defaults without one.
        notes: what the reader of the log had to say.

    Returns:
        The verdict with its findings.
    """
    told = (*notes, *_assumptions(header))
    if not records:
        sentence = "The log holds no epoch yet: there is nothing to judge."
        empty = Finding("LG001", "no_epochs", "critical", sentence, (0, 0), is_open=True)
        return Diagnosis(
            Verdict("critical", empty.name, sentence),
            (empty,),
            NextStep("Let an epoch finish."),
            (),
            told,
        )
    ordered = sorted(records, key=lambda record: record.epoch)
    header = tuned_header(header, ordered)
    all_views = views(header, ordered, thresholds or KLHealthThresholds())
    findings: list[Finding] = []
    silent: dict[str, list[str]] = {}
    for rule in RULES:
        finding, reason = _trace(rule, all_views)
        if finding is not None:
            findings.append(finding)
        if reason is not None:
            silent.setdefault(reason, []).append(rule.name)
    findings.sort(key=place_of)
    not_judged = tuple(f"{', '.join(names)}: {reason}" for reason, names in silent.items())
    verdict = verdict_on(all_views[-1], findings)
    return Diagnosis(
        verdict,
        tuple(findings),
        next_step(all_views[-1], findings),
        not_judged,
        told,
        information_account(all_views[-1]),
        disagreement_of(all_views[-1], findings),
    )


def _trace(rule: Rule, all_views: Sequence[RunView]) -> tuple[Finding | None, str | None]:
    """The latest stretch of epochs in which a rule held, and why it is silent now."""
    first = last = all_views[0]
    held: Judgement | None = None
    is_open = False
    outcome: Outcome = None
    for view in all_views:
        is_unjudged = rule.needs_epochs and not view.header.counts_epochs
        outcome = NO_EPOCHS if is_unjudged else rule.judge(view)
        if isinstance(outcome, Judgement):
            first = first if is_open else view
            last, held = view, outcome
        is_open = isinstance(outcome, Judgement)
    reason = outcome.reason if isinstance(outcome, NotJudged) else None
    if held is None:
        return None, reason
    if not is_open and rank(held.level) < rank("warning"):
        return None, reason  # what was only a remark then says nothing now
    finding = Finding(
        code=rule.code,
        name=rule.name,
        level=held.level,
        sentence=held.sentence,
        epochs=(first.record.epoch, last.record.epoch),
        is_open=is_open,
        observed=held.observed,
        limit=held.limit,
        advice=held.advice,
        source=rule.source,
    )
    return finding, reason


def _assumptions(header: RunHeader) -> tuple[str, ...]:
    kl = header.kl
    if not kl.is_assumed:
        return ()
    return (
        f"Assumed, because the log does not say: {kl.reduction} reduction over {kl.tokens} x "
        f"{kl.dims} latents, free_bits {figure(kl.free_bits)}, factor {figure(kl.factor)}, "
        f"max_weight {figure(kl.max_weight)}, {kl.bottleneck} bottleneck.",
    )
