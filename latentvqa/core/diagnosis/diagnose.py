"""From records to a verdict: every rule at every epoch, then one sentence.

Pure: the caller prints. The verdict counts open findings only, those that hold
at the last record; among the most severe, the rule of lowest rank decides. Where
the latent-use test was run, it decides what the latent is used for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from latentvqa.core.diagnosis.account import AccountLine, information_account
from latentvqa.core.diagnosis.judgements import Judgements
from latentvqa.core.diagnosis.tuning_events import tuned_header
from latentvqa.core.diagnosis.verdict import (
    NextStep,
    Verdict,
    disagreement_of,
    next_step,
    place_of,
    too_early,
    verdict_on,
)
from latentvqa.core.figures import figure
from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.rules.catalogue import RULES, plain_name
from latentvqa.core.rules.log import EMPTY_LOG
from latentvqa.core.rules.rule import (
    Advice,
    Finding,
    Judgement,
    Level,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    severity,
    views,
)
from latentvqa.core.rules.thresholds import KLHealthThresholds


@dataclass(frozen=True)
class Diagnosis:
    """Everything that the rules say about a run.

    Attributes:
        verdict: the conclusion.
        findings: open ones first, each group by severity and rank.
        next_step: one thing to do now.
        not_judged: rules that lacked values at the last record, with the reason.
        notes: assumptions and faults of the log.
        account: the information measures, each with what it means for this run.
        disagreement: which to trust where rule-of-thumb checks and the information
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
        return any(severity(finding.level) >= severity(level) for finding in self.open_findings)


def diagnose(
    header: RunHeader,
    records: Sequence[EpochRecord],
    thresholds: KLHealthThresholds | None = None,
    notes: Sequence[str] = (),
    test: LatentUseVerdict | None = None,
    earlier: Judgements | None = None,
) -> Diagnosis:
    """Judge a run from its log, and from the latent-use test where there was one.

    Args:
        header: what the run was made with.
        records: its epochs, in any order.
        thresholds: limits of the rules; the defaults without one.
        notes: what the reader of the log had to say.
        test: verdict of the latent-use test on the run's best checkpoint.
        earlier: what was judged before of a run that goes on; it is brought up to date.

    Returns:
        The verdict with its findings.
    """
    limits, known = thresholds or KLHealthThresholds(), (*notes, *_assumptions(header))
    if not records:
        return _of_empty_log(RunView(header, (), -1, limits, ()), known)
    ordered = sorted(records, key=lambda record: record.epoch)
    header = tuned_header(header, ordered)
    all_views = views(header, ordered, limits, test)
    judged = (earlier or Judgements()).of(RULES, all_views)
    findings: list[Finding] = []
    silent: dict[str, list[str]] = {}
    refuted: list[str] = []
    for rule in RULES:
        finding, reason = _trace(rule, all_views, judged[rule.code])
        if finding is not None and finding.is_open and _is_refuted(rule, test):
            refuted.append(finding.name)
            finding = replace(finding, is_open=False)
        if finding is not None:
            findings.append(finding)
        if reason is not None:
            silent.setdefault(reason, []).append(plain_name(rule.name))
    findings.sort(key=place_of)
    not_judged = tuple(f"{', '.join(names)}: {reason}" for reason, names in silent.items())
    verdict = verdict_on(all_views[-1], findings, refuted)
    return Diagnosis(
        verdict,
        tuple(findings),
        next_step(all_views[-1], findings),
        not_judged,
        known,
        information_account(all_views[-1]),
        disagreement_of(all_views[-1], findings),
    )


def _trace(
    rule: Rule, all_views: Sequence[RunView], outcomes: Sequence[Outcome]
) -> tuple[Finding | None, str | None]:
    """The latest stretch of epochs in which a rule held, and why it is silent now."""
    first = last = all_views[0]
    held: Judgement | None = None
    is_open = False
    outcome: Outcome = None
    for view, outcome in zip(all_views, outcomes, strict=True):
        if isinstance(outcome, Judgement):
            first = first if is_open else view
            last, held = view, outcome
        is_open = isinstance(outcome, Judgement)
    reason = outcome.reason if isinstance(outcome, NotJudged) else None
    if held is None:
        return None, reason
    if not is_open and severity(held.level) < severity("warning"):
        return None, reason  # what was only a remark then says nothing now
    advised = None if rule.advice is None else rule.advice(last)
    epochs = (first.record.epoch, last.record.epoch)
    if is_open and held.is_early:
        held = replace(held, level="info", sentence=f"{too_early(last)} {held.sentence}")
    return _finding(rule, held, epochs, is_open, advised), reason


def _is_refuted(rule: Rule, test: LatentUseVerdict | None) -> bool:
    return test is not None and rule.tested is not None and test.word in rule.tested.refuted_by


def _finding(
    rule: Rule,
    held: Judgement,
    epochs: tuple[int, int],
    is_open: bool = True,
    advised: Advice | None = None,
) -> Finding:
    return Finding(
        code=rule.code,
        name=rule.name,
        level=held.level,
        sentence=held.sentence,
        epochs=epochs,
        is_open=is_open,
        observed=held.observed,
        limit=held.limit,
        advice=advised,
        source=rule.source,
        is_early=is_open and held.is_early,
    )


def _of_empty_log(view: RunView, notes: tuple[str, ...]) -> Diagnosis:
    if view.header.unjudged:
        verdict = verdict_on(view, ())
        return Diagnosis(verdict, (), next_step(view, ()), notes=notes)
    outcome = EMPTY_LOG.judge(view)
    assert isinstance(outcome, Judgement)
    finding = _finding(EMPTY_LOG, outcome, (0, 0))
    return Diagnosis(
        Verdict(finding.level, finding.name, finding.sentence),
        (finding,),
        NextStep(EMPTY_LOG.next_step),
        notes=notes,
    )


def _assumptions(header: RunHeader) -> tuple[str, ...]:
    kl = header.kl
    if not kl.is_assumed:
        return ()
    return (
        f"Assumed, because the log does not say: {kl.reduction} reduction over {kl.tokens} x "
        f"{kl.dims} latents, free_bits {figure(kl.free_bits)}, factor {figure(kl.factor)}, "
        f"max_weight {figure(kl.max_weight)}, {kl.bottleneck} bottleneck.",
    )
