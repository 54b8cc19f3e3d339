"""The verdict on a run in words: which finding speaks for it, and what to do next.

Pure: from findings to sentences. It judges nothing by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentvqa.core.diagnosis.evidence import missing_evidence, to_do
from latentvqa.core.figures import counted, figure, learnt
from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.core.rules.catalogue import RULE_OF, plain_name
from latentvqa.core.rules.information import Information, are_answers_learnt, information_of
from latentvqa.core.rules.rule import Advice, Finding, Level, RunView, Subject, severity

NOT_JUDGED = "Nothing is said about the latent."


@dataclass(frozen=True)
class Verdict:
    """What the run amounts to.

    Attributes:
        level: most severe level among the open findings, else ``ok``, or ``not judged``
            where the log does not hold what an ok needs.
        code: name of the finding that decides, such as ``collapse``; ``ok`` or
            ``not_judged`` without one.
        log: what the log says, in words, with its numbers.
        test: what the latent-use test says; None where it was not run or takes no part.
        remark: what the log alone reads as where the test decides otherwise.
    """

    level: Level
    code: str
    log: str
    test: LatentUseVerdict | None = None
    remark: str = ""

    @property
    def is_by_test(self) -> bool:
        """Whether the test alone says it all."""
        return self.test is not None and self.log == self.test.sentence

    @property
    def sentence(self) -> str:
        """The verdict in words: first what decides, the test where nothing is wrong."""
        tested = "" if self.test is None or self.is_by_test else self.test.sentence
        is_harmless = severity(self.level) < severity("warning")
        parts = (tested, self.log) if is_harmless else (self.log, tested)
        return " ".join(part for part in (*parts, self.remark) if part)


@dataclass(frozen=True)
class NextStep:
    """One thing to do now.

    Attributes:
        sentence: what to do where no change of the configuration is advised.
        advice: the change to try, or None.
        rule: name of the rule that advises it.
        is_own: whether the run is one of ours, so that the key is known to its owner.
    """

    sentence: str = ""
    advice: Advice | None = None
    rule: str = ""
    is_own: bool = True


def verdict_on(view: RunView, findings: Sequence[Finding], refuted: Sequence[str] = ()) -> Verdict:
    """The conclusion from findings in their order.

    Args:
        view: the last epoch.
        findings: what the rules say, in order.
        refuted: names of the findings that the latent-use test refutes.
    """
    remarks = [finding for finding in findings if finding.is_open and finding.level != "ok"]
    top = remarks[0] if remarks else None
    missing = missing_evidence(view)
    if missing and (top is None or top.level == "info"):
        parts = [NOT_JUDGED, missing, top.sentence if top else ""]
        return Verdict("not judged", "not_judged", " ".join(part for part in parts if part))
    if top is None or top.level == "info":
        parts = [_state(view), top.sentence if top else ""]
    else:
        is_whole = _subject(top) in ("latent", "answers")
        parts = [top.sentence, "" if is_whole else _figures(view)]
    log = " ".join(part for part in parts if part)
    remark = _remark(view, refuted)
    if top is None:
        return Verdict("ok", "ok", log, view.test, remark)
    return Verdict(top.level, top.name, log, view.test, remark)


def _remark(view: RunView, refuted: Sequence[str]) -> str:
    """The test decides where the log reads otherwise."""
    if view.test is None or not refuted:
        return ""
    names = " and ".join(map(plain_name, refuted))
    return f"The log alone reads as {names}; the latent-use test decides."


def _state(view: RunView) -> str:
    """What can be said without any warning."""
    kind, seen = view.header.kl.bottleneck, information_of(view)
    if kind != "gaussian":
        return f"The bottleneck is {kind}: there is no KL to judge. {_figures(view)}"
    has_learnt = are_answers_learnt(view)
    if has_learnt is None:
        silence = "No rule found a fault, but the log does not say whether the latent is used."
        return f"{silence} {_figures(view)}".rstrip()
    if not has_learnt:
        return f"Most of the answers is not learnt yet. {_figures(view)}"
    image = "" if seen.image_gain is None else f", {_share(seen.image_gain)} of them by the image"
    capacity = "" if seen.bound is None else f"; the latent can carry {_capacity(seen)}"
    price = "" if seen.rate is None else f". {_price(view, seen.rate)}"
    return (
        f"{figure(seen.gain)} of the {figure(seen.need)} nats that the answers need are "
        f"learnt{image}{capacity}{price}."
    )


def _figures(view: RunView) -> str:
    """What is paid, can be carried, is needed and is learnt, as far as it is logged."""
    seen = information_of(view)
    parts = []
    if seen.rate is not None and view.header.kl.bottleneck == "gaussian":
        paid = _price(view, seen.rate)
        parts.append(f"{paid[0].lower()}{paid[1:]} nats")
    if seen.bound is not None:
        parts.append(f"the latent can carry {_capacity(seen)}")
    if seen.need is not None:
        parts.append(f"the answers need {figure(seen.need)}")
        parts += [] if seen.gain is None else [learnt(seen.gain)]
        parts += [] if seen.image_gain is None else [f"{_share(seen.image_gain)} by the image"]
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _share(gain: float) -> str:
    """A part of what is learnt; one below nothing is none."""
    return figure(gain) if gain > 0.0 else "none"


def _price(view: RunView, rate: float) -> str:
    if view.record.effective_kl_weight == 0.0 or not view.has_kl:
        return f"Nothing is paid for the rate of {figure(rate)}"
    return f"The loss pays for {figure(rate)}"


def disagreement_of(view: RunView, findings: Sequence[Finding]) -> str:
    """Which to trust where checks on the KL alone and information disagree."""
    held = [f for f in findings if f.is_open and _subject(f) == "kl"]
    missed = [f for f in held if f.level != "ok"]
    has_learnt = are_answers_learnt(view)
    is_trusted = not any(f.is_open and _subject(f) == "evidence" for f in findings)
    if has_learnt and missed and is_trusted:
        return (
            f"The rule-of-thumb checks say otherwise: {_listed(missed)}. Trust the information: "
            "they look at the KL alone."
        )
    is_healthy = bool(held) and not missed
    fault = next((f for f in findings if f.is_open and _subject(f) == "latent"), None)
    if has_learnt is False and is_healthy and fault is not None:
        return (
            f"The rule-of-thumb checks hold: {_listed(held)}. Trust the information: a KL inside "
            "its band does not say that the KL is about the answers."
        )
    return ""


def _listed(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{plain_name(f.name)} ({f.code})" for f in findings)


def _capacity(seen: Information) -> str:
    at = "" if seen.temperature is None else f" at t = {figure(seen.temperature)}"
    return f"up to {figure(seen.bound)}{at}"


def next_step(view: RunView, findings: Sequence[Finding]) -> NextStep:
    """One thing to do now."""
    is_own = view.header.is_own
    for finding in findings:
        if not finding.is_open or finding.is_early:
            continue
        if finding.level != "info" and RULE_OF[finding.code].next_step:
            break  # no change that a lesser finding advises would help
        if finding.advice is not None:
            return NextStep("", finding.advice, finding.name, is_own)
    held = [finding for finding in findings if finding.is_open]
    is_quiet = not any(severity(finding.level) >= severity("warning") for finding in held)
    if is_quiet and any(finding.is_early for finding in held):
        return NextStep("Let the run go on: it is judged when more epochs are done.", is_own=is_own)
    return NextStep(_sentence(view, findings), is_own=is_own)


def _sentence(view: RunView, findings: Sequence[Finding]) -> str:
    """What to do where no change is advised."""
    is_own, is_tested = view.header.is_own, view.test is not None
    held = [f for f in findings if f.is_open]
    worst = next((f for f in held if severity(f.level) >= severity("warning")), None)
    if worst is None:
        if missing_evidence(view):
            return to_do(view)
        is_over = is_run_over(view)
        waiting = [f for f in held if not (is_over and RULE_OF[f.code].waits)]
        first = next((step for f in waiting if (step := RULE_OF[f.code].next_step)), None)
        first = first or _missing_convention(view)
        return first or _after(view.test, is_own)
    rule = RULE_OF[worst.code]
    if is_tested and rule.tested is not None and rule.tested.next_step:
        return rule.tested.next_step
    if first := rule.next_step or rule.look_at:
        return first
    if rule.subject == "latent" and not is_tested:
        return f"See what the decoder really uses: {_intervention(is_own)}"
    return f"Read what it means: latentvqa diagnose-kl --explain {worst.code}"


def is_run_over(view: RunView) -> bool:
    """Whether no further epoch is planned; another tool's log does not say that one is."""
    planned = view.header.stages.total
    return not view.header.is_own or 0 < planned <= view.record.epoch + 1


def too_early(view: RunView) -> str:
    """What stands before a fault that later epochs may undo."""
    done, planned = view.record.epoch + 1, view.header.stages.total
    return f"Too early to judge (after {done} of {counted(planned, 'epoch')})."


def _subject(finding: Finding) -> Subject:
    return RULE_OF[finding.code].subject


def _intervention(is_own: bool) -> str:
    """How to see whether the decoder uses the latent."""
    if is_own:
        return "latentvqa evaluate RUN --latent-use"
    return "exchange the latents between examples and see the score fall"


def _after(test: LatentUseVerdict | None, is_own: bool) -> str:
    """What to do with a run that nothing is wrong with."""
    if test is None:
        return f"Confirm it: {_intervention(is_own)}"
    if test.images_needed is not None:
        return (
            "Test it on more images: latentvqa evaluate RUN --latent-use --data FILE --images DIR"
        )
    return "Ask it: latentvqa demo RUN" if test.word == "used, image and question" else ""


def _missing_convention(view: RunView) -> str | None:
    """What would make more rules judge, for a log that does not say it."""
    unknown = [name for name in ("reduction", "free_bits") if name in view.header.kl.unknown]
    sizes = [name for name in ("tokens", "dims") if name in view.header.kl.unknown]
    if not unknown and not sizes:
        return None
    keys = [f"kl.{name}" for name in unknown] + [f"latent.{name}" for name in sizes]
    return f"Say how the KL was made: {' '.join(f'--set {key}=...' for key in keys)}"


def place_of(finding: Finding) -> tuple[bool, int, int]:
    """Sorts findings: open ones first, then by severity and rank."""
    return (not finding.is_open, -severity(finding.level), RULE_OF[finding.code].rank)
