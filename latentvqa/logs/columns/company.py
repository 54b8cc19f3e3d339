"""What kind of training a log is of, by the company that its KL keeps.

A KL to a reference policy, between two policies or between a teacher and its
student is no KL of a posterior, whatever its column is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from latentvqa.logs.columns.words import kind_of, word_set, words_of

Training = Literal["policy training", "distillation"]

_POLICY_WORDS = word_set(
    "advantage advantages completion completions policy pg clipfrac clipfraction approxkl rollout "
    "rollouts episode episodes reward rewards rew return returns vf rlhf ppo grpo actor critic "
    "explained"
)
# pairs that say it together, where each alone may be of something else
_POLICY_PAIRS = (
    {"clip", "fraction"},
    {"clip", "frac"},
    {"clip", "ratio"},
    {"clip", "range"},
    {"ep", "rew"},
    {"approx", "kl"},
    {"ref", "kl"},
    {"target", "kl"},
    {"value", "loss"},
    {"explained", "variance"},
)
_STRONG = word_set(
    "advantage advantages completion completions pg clipfrac clipfraction approxkl rlhf ppo grpo "
    "rollout rollouts"
)
_STRONG_PAIRS = (
    {"clip", "fraction"},
    {"clip", "frac"},
    {"clip", "range"},
    {"ep", "rew"},
    {"approx", "kl"},
    {"policy", "loss"},
)
_DISTILLATION = word_set("teacher student distill distillation distil kd dkd")
_SOFT_PAIRS = ({"alpha", "temperature"}, {"alpha", "t"}, {"hard", "soft"})
_SOFTENING = frozenset({"alpha", "temperature", "t", "hard", "soft"})
_FORCING = frozenset({"forcing", "force", "forced", "tf"})
# what only a model with a latent of its own logs
_LATENT_WORDS = word_set(
    "recon recons reconstruction rec elbo nelbo vae posterior post prior logvar mu image "
    "distortion latent free obs dyn rep"
)
_HINGED = frozenset({"raw", "after", "unclamped", "clamped"})  # a KL around its free bits


@dataclass(frozen=True)
class Company:
    """What the columns say about the training.

    Attributes:
        training: the kind in which a KL is none of a posterior.
        shown_by: the columns that show it, the first few.
    """

    training: Training
    shown_by: tuple[str, ...]


def company_of(columns: Iterable[str]) -> Company | None:
    """The kind of training, or None where nothing speaks against a posterior."""
    columns = list(columns)
    policy, strong, distillation = [], [], []
    has_latent = False
    for column in columns:
        words = set(words_of(column))
        is_kl = kind_of(tuple(words)) in ("kl", "weight")
        has_latent |= bool(words & _LATENT_WORDS) and not is_kl
        has_latent |= "kl" in words and bool(words & _HINGED)
        if words & _DISTILLATION and not words & _FORCING:
            distillation.append(column)
        if words & _POLICY_WORDS or _holds_pair(words, _POLICY_PAIRS):
            policy.append(column)
        if words & _STRONG or _holds_pair(words, _STRONG_PAIRS):
            strong.append(column)
    shown = strong if has_latent else policy
    if shown and (has_latent or strong or len(policy) > 1 or _is_alone(policy)):
        return Company("policy training", tuple(shown[:4]))
    if not distillation and _are_together(columns):
        distillation = [name for name in columns if set(words_of(name)) & _SOFTENING]
    if distillation and not has_latent:
        return Company("distillation", tuple(distillation[:4]))
    return None


def _are_together(columns: list[str]) -> bool:
    """Whether a share and a temperature, or hard and soft losses, are logged side by side."""
    words = {word for column in columns for word in words_of(column)}
    return any(pair <= words for pair in _SOFT_PAIRS)


def _is_alone(policy: list[str]) -> bool:
    """Whether the one column that speaks of a policy can mean nothing else."""
    words = [set(words_of(column)) for column in policy]
    return any(held & {"reward", "rewards", "policy", "advantage"} for held in words)


def _holds_pair(words: set[str], pairs: tuple[set[str], ...]) -> bool:
    return any(pair <= words for pair in pairs)
