"""What every rule says of every epoch, kept while a run goes on.

A rule never looks beyond the epoch that it judges, so what it said of an epoch
stays. Judging a whole run anew after each of its epochs costs the square of
their number; a :class:`Judgements` that is kept costs one epoch each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.core.rules.rule import Judgement, NotJudged, Outcome, Rule, RunView
from latentvqa.core.rules.thresholds import KLHealthThresholds

NO_EPOCHS = NotJudged("the log has no epochs (give --steps-per-epoch N)")


@dataclass
class Judgements:
    """Outcomes by rule and epoch; those of another run or other limits are forgotten."""

    _made_with: tuple[RunHeader, KLHealthThresholds] | None = None
    _records: list[EpochRecord] = field(default_factory=list)
    _outcomes: dict[str, list[Outcome]] = field(default_factory=dict)

    def of(self, rules: Sequence[Rule], views: Sequence[RunView]) -> dict[str, list[Outcome]]:
        """Outcomes of each rule, by its code, one for each view.

        Args:
            rules: the same ones each time.
            views: of one run, in rising epochs, one at least.
        """
        last = views[-1]
        known = 0 if last.test is not None else self._known(last)
        judged = {
            rule.code: [
                *self._outcomes.get(rule.code, [])[:known],
                *(_outcome(rule, view) for view in views[known:]),
            ]
            for rule in rules
        }
        if last.test is None:
            self._made_with = (last.header, last.thresholds)
            self._records, self._outcomes = list(last.records), judged
        return judged

    def _known(self, last: RunView) -> int:
        """How many epochs from the start were judged before."""
        if self._made_with != (last.header, last.thresholds):
            return 0
        pairs = zip(self._records, last.records, strict=False)
        differing = (index for index, (old, new) in enumerate(pairs) if old is not new)
        return next(differing, min(len(self._records), len(last.records)))


def _outcome(rule: Rule, view: RunView) -> Outcome:
    """What the rule sees in the log, or else in the latent-use test."""
    if rule.needs_epochs and not view.header.counts_epochs:
        return NO_EPOCHS
    seen, test = rule.judge(view), view.test
    is_shown = test is not None and rule.tested is not None and test.word in rule.tested.shown_by
    if isinstance(seen, Judgement) or not is_shown:
        return seen
    assert test is not None and rule.tested is not None
    return Judgement(rule.tested.level, test.sentence)
