"""Rules on the log itself: whether it is whole and agrees with itself."""

from __future__ import annotations

from itertools import pairwise

from latentvqa.core.figures import counted, figure
from latentvqa.core.kl_precision import is_sampled
from latentvqa.core.rules.rule import Judgement, NotJudged, Outcome, Rule, RunView, finite


def judge_epochs(view: RunView) -> Outcome:
    """A log without any epoch."""
    if view.records:
        return None
    return Judgement("critical", "The log holds no epoch yet: there is nothing to judge.")


def judge_parts(view: RunView) -> Outcome:
    """A total loss that its logged parts do not make: a weight printed but not used."""
    record, limits = view.record, view.thresholds
    total, answer = finite(record.train.total_loss), finite(record.train.answer_loss)
    after, weight = finite(record.train.kl_after), finite(record.effective_kl_weight)
    if total is None or answer is None or after is None or weight is None:
        return NotJudged("the log does not hold total loss, its parts and the effective weight")
    if after <= 0.0:
        return None
    term = weight * after
    missed = total - answer - term
    # the weights of these two terms are not in every log; neither exceeds 1 in the recipe
    others = max(finite(record.train.orthogonality) or 0.0, 0.0)
    others += max(finite(record.train.teacher_loss) or 0.0, 0.0)
    slack = limits.loss_tolerance * abs(total) + limits.weight_tolerance * term
    if -slack <= missed <= others + slack:
        return None
    implied = (total - answer - others) / after if missed > 0.0 else (total - answer) / after
    weight_said = f"The weight in the loss must be about {figure(implied)}, not the logged one."
    if implied < 0.0:
        weight_said = "No weight explains it: a term or a sign is missing."
    return Judgement(
        "warning",
        f"The logged parts do not make the total loss {figure(total)}: answer {figure(answer)} "
        f"and {figure(weight)} x kl_after {figure(after)} miss it by {figure(abs(missed))}. "
        f"{weight_said}",
        {"total_loss": total, "answer_loss": answer, "kl_term": term, "implied_weight": implied},
        {"loss_tolerance": limits.loss_tolerance, "weight_tolerance": limits.weight_tolerance},
    )


def judge_possible(view: RunView) -> Outcome:
    """A KL below 0, or a hinged one above the KL itself."""
    for split in (view.record.train, view.record.val):
        raw, after = finite(split.kl_raw), finite(split.kl_after)
        if raw is not None and raw < 0.0 and not is_sampled(view):
            return Judgement(
                "warning",
                f"kl_raw is {figure(raw)}, and no KL is below 0: the sign is wrong, or the column "
                "holds something else.",
                {"kl_raw": raw},
                {"kl_raw": 0.0},
            )
        if raw is not None and after is not None and after > raw + _ROUNDING * max(raw, 1.0):
            return Judgement(
                "warning",
                f"kl_after {figure(after)} exceeds kl_raw {figure(raw)}: the columns are "
                "exchanged, or the free bits are max(KL, free_bits) and not a hinge. The rules "
                "on free bits do not hold then.",
                {"kl_after": after},
                {"kl_raw": raw},
            )
    return None


def judge_gaps(view: RunView) -> Outcome:
    """Epochs that are missing before the judged one."""
    if not view.header.counts_epochs:
        return None
    seen = {record.epoch for record in view.records[: view.index + 1]}
    missing = view.record.epoch + 1 - len(seen)
    if missing <= 0 or _is_sparse(view, seen):
        return None
    first = next(epoch for epoch in range(view.record.epoch) if epoch not in seen)
    return Judgement(
        "info",
        f"The log is incomplete: {missing} of {counted(view.record.epoch + 1, 'epoch')} missing, "
        f"the first is {first}. Rules over several epochs see their neighbours as successive.",
        {"missing_epochs": missing, "first_missing_epoch": first},
    )


def _is_sparse(view: RunView, seen: set[int]) -> bool:
    """Whether another tool logs some epochs only, so that none of them is missing."""
    ordered = sorted(seen)
    steps = [later - earlier for earlier, later in pairwise(ordered)]
    return not view.header.is_own and 2 * steps.count(1) < len(steps)


_ROUNDING = 1e-6  # by which sums of the same values may differ

EMPTY_LOG = Rule(
    code="LG001",
    name="no_epochs",
    meaning="The log holds a header but no epoch.",
    why="Nothing can be judged before the first epoch has ended and been validated.",
    source="the log itself",
    rank=10,
    judge=judge_epochs,
    subject="evidence",
    next_step="Let an epoch finish.",
)

LOG_RULES: tuple[Rule, ...] = (
    EMPTY_LOG,
    Rule(
        code="LG002",
        name="loss_disagrees",
        meaning="Total loss, answer loss and KL term were all logged, and they do not add up.",
        why="A common bug prints one KL weight and trains with another: a warm-up that is shown "
        "but never applied, a factor that is multiplied in one place only. The sentence names the "
        "weight that the losses imply. Orthogonality and teacher may each take up to their own "
        "value of the difference.",
        source="a total is the sum of its parts",
        rank=100,
        judge=judge_parts,
        thresholds=("loss_tolerance", "weight_tolerance"),
        subject="evidence",
    ),
    Rule(
        code="LG003",
        name="log_incomplete",
        meaning="Epochs are missing between the first and the last one.",
        why="Lines get lost when jobs are killed or logs are merged. Rules over several epochs "
        "then compare epochs that were not neighbours.",
        source="one record for each epoch",
        rank=180,
        judge=judge_gaps,
        needs_epochs=True,
    ),
    Rule(
        code="LG004",
        name="kl_impossible",
        meaning="A KL is negative, or larger after free bits than before.",
        why="Neither can be under the definitions here. A sign, exchanged columns, or the other "
        "form of free bits, max(KL, free_bits), are the usual causes; map the columns anew.",
        source="a KL is not negative; a hinge only takes away",
        rank=20,
        judge=judge_possible,
        subject="evidence",
    ),
)
