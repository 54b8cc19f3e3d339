"""Whether a log holds what an "ok" needs: a KL of known meaning and an answer loss.

A run that no rule complains about was not judged where either is missing; this
says which, and what could be done.
"""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.core.figures import figure
from latentvqa.core.kl_precision import (
    floor_of,
    holds_kl,
    is_below_precision,
    is_perhaps_weighted,
    is_scattered,
)
from latentvqa.core.rules.information import are_answers_learnt
from latentvqa.core.rules.rule import RunView, finite, kl_split

MOST_CANDIDATES = 4


def missing_evidence(view: RunView) -> str:
    """Why a run without a finding is not judged; empty where it is."""
    header = view.header
    if header.unjudged:
        return " ".join(part for part in (header.unjudged, _candidates(view)) if part)
    if header.kl.bottleneck != "gaussian" or are_answers_learnt(view) is not None:
        return ""
    if not any(map(holds_kl, view.records)):
        told = "No column of the log is known as the KL of a posterior."
        return " ".join(part for part in (told, _candidates(view)) if part)
    return _doubt(view) or _missing_loss(view)


def to_do(view: RunView) -> str:
    """What makes a log judged that is not."""
    candidates = view.header.kl_candidates
    if candidates and not _is_other_training(view):
        return f"If a column holds the posterior's KL, name it: --map kl_raw={_name(candidates[0])}"
    if view.header.unjudged or not any(map(holds_kl, view.records)):
        return (
            "Name the KL if the log has one (--map kl_raw=COLUMN), or give the log of a model with "
            "a latent"
        )
    if _doubt(view):
        return "Log the KL itself, before any weight and with more digits"
    return "Log the reconstruction or answer loss beside the KL, or name it: --map answer=COLUMN"


def _is_other_training(view: RunView) -> bool:
    return "training (" in view.header.unjudged or "distillation (" in view.header.unjudged


def _doubt(view: RunView) -> str:
    """Why the KL that is logged says nothing about the posterior."""
    raw = finite(kl_split(view.record).kl_raw)
    if raw is None:
        rates = (view.record.train.rate, view.record.val.rate)
        is_rated = any(finite(rate) is not None for rate in rates)
        return "" if is_rated else "The last record holds no KL."
    return _doubt_about_sign(view, raw) or _doubt_about_size(view, raw)


def _doubt_about_sign(view: RunView, raw: float) -> str:
    if is_scattered(view):
        return (
            "The KL scatters around 0, as one that is estimated from samples does: so small a "
            "mean cannot be told from nothing."
        )
    if raw < 0.0:
        return f"The KL is logged as {figure(raw)}, and no total tells whether its sign is turned."
    return ""


def _doubt_about_size(view: RunView, raw: float) -> str:
    floor = floor_of(view)
    if is_below_precision(view):
        return (
            f"The KL is below the printed precision ({figure(2.0 * view.header.kl_resolution)}): "
            "as a mean over many dimensions it can be healthy there."
        )
    if floor is not None:
        return (
            f"The KL is printed as exactly {figure(floor)} in every late record: that is its free "
            "allowance, max(KL, free nats), and what the KL is below it is not logged."
        )
    if is_perhaps_weighted(view):
        return (
            f"A KL of {figure(raw)} that never was larger may have been multiplied by its weight "
            "before it was logged, and nothing in the log tells."
        )
    return ""


def _missing_loss(view: RunView) -> str:
    splits = (view.record.train, view.record.val)
    losses = [loss for split in splits for loss in (split.answer_loss, split.answer_nll)]
    if any(finite(loss) is not None for loss in losses):
        return ""
    return "The log holds a KL but no answer or reconstruction loss to judge it against."


def _candidates(view: RunView) -> str:
    names: Sequence[str] = view.header.kl_candidates[:MOST_CANDIDATES]
    if not names:
        return ""
    more = len(view.header.kl_candidates) - len(names)
    told = ", ".join(map(_name, names)) + (f" and {more} more" if more > 0 else "")
    return f"Looks like a KL by its name and is not read as one: {told}."


def _name(column: str) -> str:
    """A column's name that can be printed."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in column[:80])
