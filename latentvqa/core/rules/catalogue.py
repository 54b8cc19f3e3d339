"""Every rule that judges a run, in order of rank: the one list of them.

Each :class:`~latentvqa.core.rules.rule.Rule` is whole. The findings, the
verdict's precedence, ``--explain`` and the page of rules in the manual are read
from it; to add a rule is to declare it in the file of its family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from latentvqa.core.rules.capacity import CAPACITY_RULES
from latentvqa.core.rules.collapse import COLLAPSE_RULES
from latentvqa.core.rules.divergence import DIVERGENCE_RULES
from latentvqa.core.rules.free_bits import FREE_BITS_RULES
from latentvqa.core.rules.kl_checks import KL_RULES
from latentvqa.core.rules.kl_regime import REGIME_RULES
from latentvqa.core.rules.log import LOG_RULES
from latentvqa.core.rules.phases import PHASE_RULES
from latentvqa.core.rules.rule import Rule
from latentvqa.core.rules.teacher import TEACHER_RULES
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.core.rules.training import TRAINING_RULES

_DECLARED = (
    *LOG_RULES,
    *DIVERGENCE_RULES,
    *COLLAPSE_RULES,
    *CAPACITY_RULES,
    *REGIME_RULES,
    *FREE_BITS_RULES,
    *TEACHER_RULES,
    *TRAINING_RULES,
    *KL_RULES,
    *PHASE_RULES,
)

RULES: tuple[Rule, ...] = tuple(sorted(_DECLARED, key=lambda rule: rule.rank))
RULE_OF: Mapping[str, Rule] = {rule.code: rule for rule in RULES}

# names that tell little by themselves, or that are not those of a state
_PLAIN_NAMES = {
    "contradictory_targets": "KL targets exclude each other",
    "kl_collapse_check": "KL near 0",
    "kl_low_after_warmup": "KL low after the warm-up",
    "loss_disagrees": "parts do not make the loss",
    "over_constraint": "too many forces at once",
    "phase_early": "first epochs unlike expected",
    "phase_full": "full stage unlike expected",
    "phase_late": "late warm-up unlike expected",
    "pinned": "KL at its free allowance",
    "presence_only": "content of the latent unused",
    "teacher_already_preferred": "teacher has done its work",
    "teacher_no_gradient": "teacher without gradient",
    "teacher_nothing_to_prefer": "teacher has nothing to prefer",
}


def plain_name(name: str) -> str:
    """What a rule is called where people read it; programs get its name."""
    words = _PLAIN_NAMES.get(name) or name.replace("_", " ")
    return words.replace("kl ", "KL ", 1) if words.startswith("kl ") else words


@dataclass(frozen=True)
class Threshold:
    """A number that a rule compares with.

    Attributes:
        key: its key in the ``[kl_health]`` section.
        value: what it is.
        description: its unit and meaning.
    """

    key: str
    value: float
    description: str


def thresholds_of(rule: Rule, limits: KLHealthThresholds | None = None) -> tuple[Threshold, ...]:
    """The thresholds of a rule, for its explanation or its page in the manual.

    Args:
        rule: one of :data:`RULES`.
        limits: thresholds in use; the defaults without one.

    Returns:
        One entry per key, in the order of the declaration.
    """
    held, fields = limits or KLHealthThresholds(), KLHealthThresholds.model_fields
    return tuple(
        Threshold(key, getattr(held, key), fields[key].description or "") for key in rule.thresholds
    )
