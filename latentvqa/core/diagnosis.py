"""From records to a verdict: every rule at every epoch, then one sentence.

Pure: the caller prints. The verdict counts open findings only, those that hold
at the last record; among the most severe, precedence decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentvqa.core.collapse_rules import COLLAPSE_RULES
from latentvqa.core.findings import (
    LEVELS,
    Finding,
    Judgement,
    Level,
    NotJudged,
    Outcome,
    Rule,
    RunView,
    figure,
    learnt,
    views,
)
from latentvqa.core.information import Information, are_answers_learnt, information_of
from latentvqa.core.information_account import AccountLine, information_account
from latentvqa.core.information_rules import INFORMATION_RULES
from latentvqa.core.kl_health import KL_RULES
from latentvqa.core.kl_regime import REGIME_RULES
from latentvqa.core.log_rules import LOG_RULES
from latentvqa.core.monitoring import PHASE_RULES
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.teacher_rules import TEACHER_RULES
from latentvqa.core.thresholds import KLHealthThresholds
from latentvqa.core.training_rules import TRAINING_RULES
from latentvqa.core.tuning_events import tuned_header

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

# Which of several findings of one level speaks for the run; the rest follow.
PRECEDENCE = (
    "no_epochs",
    "divergence",
    "collapse",
    "leak",
    "latent_ignored",
    "kl_exploding",
    "loss_disagrees",
    "teacher_idle",
    "teacher_no_gradient",
    "overfitting",
    "pinned",
    "penalty_inactive",
    "not_warmed_up",
)

# The training notes' checks on the KL alone, which information may overrule.
NOTES_CHECKS = (
    "kl_collapse_check",
    "kl_targets",
    "kl_high",
    "free_bits_high",
    "free_bits_generous",
    "kl_low_after_warmup",
)

# Findings whose sentence already holds what the answers need and the latent can carry.
SELF_CONTAINED = ("collapse", "leak", "latent_ignored")


@dataclass(frozen=True)
class Verdict:
    """What the run amounts to.

    Attributes:
        level: most severe level among the open findings, else ``ok``.
        code: name of the finding that decides, such as ``collapse``; ``ok`` without one.
        sentence: the verdict in words, with its numbers.
    """

    level: Level
    code: str
    sentence: str


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
    next_step: str = ""
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
        return any(_rank(finding.level) >= _rank(level) for finding in self.open_findings)


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
            Verdict("critical", empty.name, sentence), (empty,), "Let an epoch finish.", (), told
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
    findings.sort(key=_order)
    not_judged = tuple(f"{', '.join(names)}: {reason}" for reason, names in silent.items())
    verdict = _verdict(all_views[-1], findings)
    return Diagnosis(
        verdict,
        tuple(findings),
        _next_step(findings),
        not_judged,
        told,
        information_account(all_views[-1]),
        _disagreement(all_views[-1], findings),
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
    if not is_open and _rank(held.level) < _rank("warning"):
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


def _verdict(view: RunView, findings: Sequence[Finding]) -> Verdict:
    remarks = [finding for finding in findings if finding.is_open and finding.level != "ok"]
    top = remarks[0] if remarks else None
    if top is None or top.level == "info":
        parts = [_state(view), top.sentence if top else ""]
    else:
        parts = [top.sentence, "" if top.name in SELF_CONTAINED else _figures(view)]
    sentence = " ".join(part for part in parts if part)
    return Verdict(top.level, top.name, sentence) if top else Verdict("ok", "ok", sentence)


def _state(view: RunView) -> str:
    """What can be said without any warning."""
    kind, seen = view.header.kl.bottleneck, information_of(view)
    if kind != "gaussian":
        return f"The bottleneck is {kind}: there is no KL to judge. {_figures(view)}"
    has_learnt = are_answers_learnt(view)
    if has_learnt is None:
        unknown = "No rule found a fault, but the log does not say whether the latent is used."
        return f"{unknown} {_figures(view)}"
    if not has_learnt:
        return f"Most of the answers is not learnt yet. {_figures(view)}"
    capacity = "" if seen.bound is None else f"; it can carry {_capacity(seen)}"
    price = "" if seen.rate is None else f". The loss pays for {figure(seen.rate)}"
    return (
        f"The latent carries {figure(seen.gain)} of the {figure(seen.need)} nats that the "
        f"answers need{capacity}{price}."
    )


def _figures(view: RunView) -> str:
    """What is paid, can be carried, is needed and is learnt, as far as it is logged."""
    seen = information_of(view)
    parts = []
    if seen.rate is not None and view.header.kl.bottleneck == "gaussian":
        parts.append(f"the loss pays for {figure(seen.rate)} nats")
    if seen.bound is not None:
        parts.append(f"the latent can carry {_capacity(seen)}")
    if seen.need is not None:
        parts.append(f"the answers need {figure(seen.need)}")
        parts += [] if seen.gain is None else [learnt(seen.gain)]
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _disagreement(view: RunView, findings: Sequence[Finding]) -> str:
    """Which to trust where checks on the KL alone and information disagree."""
    held = [f for f in findings if f.is_open and f.name in NOTES_CHECKS]
    missed = [f.code for f in held if f.level != "ok"]
    has_learnt = are_answers_learnt(view)
    if has_learnt and missed:
        return (
            f"The notes' checks ({', '.join(missed)}) say otherwise. Trust the information: they "
            "look at the KL alone, and the answers have come through the latent."
        )
    is_healthy = bool(held) and not missed
    fault = next((f for f in findings if f.is_open and f.name in SELF_CONTAINED), None)
    if has_learnt is False and is_healthy and fault is not None:
        return (
            f"The notes' targets hold ({', '.join(f.code for f in held)}). Trust the information: "
            "a KL inside its band does not say that the KL is about the answers."
        )
    return ""


def _capacity(seen: Information) -> str:
    at = "" if seen.temperature is None else f" at t = {figure(seen.temperature)}"
    return f"up to {figure(seen.bound)}{at}"


def _next_step(findings: Sequence[Finding]) -> str:
    for finding in findings:
        if finding.is_open and finding.advice is not None:
            return f"Try {finding.advice} ({finding.name})."
    worst = next((f for f in findings if f.is_open and _rank(f.level) >= _rank("warning")), None)
    if worst is None:
        return "Confirm by exchanging the latents between examples: latentvqa evaluate RUN"
    if worst.name in ("collapse", "leak", "latent_ignored"):
        return "See what the decoder really uses: latentvqa evaluate RUN"
    return f"Look into {worst.name} before tuning anything."


def _assumptions(header: RunHeader) -> tuple[str, ...]:
    kl = header.kl
    if not kl.is_assumed:
        return ()
    return (
        f"Assumed, because the log does not say: {kl.reduction} reduction over {kl.tokens} x "
        f"{kl.dims} latents, free_bits {figure(kl.free_bits)}, factor {figure(kl.factor)}, "
        f"max_weight {figure(kl.max_weight)}, {kl.bottleneck} bottleneck.",
    )


def _order(finding: Finding) -> tuple[bool, int, int]:
    name = finding.name
    place = PRECEDENCE.index(name) if name in PRECEDENCE else len(PRECEDENCE)
    return (not finding.is_open, -_rank(finding.level), place)


def _rank(level: Level) -> int:
    return LEVELS.index(level)
