"""A column's name taken apart: its words, and the kind of thing that they can name.

Only names are looked at. A word that no table here holds makes a name unknown.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


Kind = Literal["kl", "many kl", "weight", "policy kl", "like kl", "reconstruction", "total", ""]

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+")
_BREAKS = re.compile(r"[^\w]+|_+")
_GLUED = {
    "kld": ("kl", "d"),
    "dkl": ("d", "kl"),
    "kldiv": ("kl", "div"),
    "kldivergence": ("kl", "divergence"),
    "klterm": ("kl", "term"),
    "klqp": ("kl", "q", "p"),
    "kullbackleibler": ("kl",),
    "elbo": ("elbo",),
    "nelbo": ("elbo",),
    "重构损失": ("重构", "损失"),
    "重建损失": ("重建", "损失"),
}
_GLUED_LOSS = ("kl", "kld", "rec", "recon", "recons", "lat", "latent", "gen", "mse", "bce", "mel")

# words that leave the meaning of a KL, a reconstruction or a total as it is
_NEUTRAL = word_set(
    "loss losses l term cost value val d div divergence mean avg average nats per sum total "
    "z q p qp latent local posterior prior gaussian normal standard std vae model encoder enc "
    "metric metrics obj objective log info reg regularization regularizer regularisation "
    "batch sample example leibler kullback raw unweighted main net network "
    "divergenz divergencia divergência дивергенция 散度 损失 損失"
)
_KL = frozenset({"kl", "kullback"})
_WEIGHT = word_set(
    "weight weights coef coeff coefs coeffs coefficient beta lambda anneal annealing "
    "factor ratio multiplier w scale warmup schedule"
)
_OF_A_WEIGHT = frozenset({"loss", "term", "d", "div", "cost", "cur", "current"})
_WEIGHT_FIRST = frozenset({"weight", "coef", "coeff", "lambda"})  # beta_kl may be the product
_SETTING = word_set(
    "target max min threshold limit start end epochs steps lr rate alpha capacity tol free "
    "share fraction frac count early stop estimator"
)
_POLICY = word_set(
    "approx approxkl ref reference policy actor critic old pi teacher student distill distil "
    "distillation kd soft logits behavior behaviour sft rollout ctl"
)
_WEIGHTED = frozenset({"weighted", "scaled", "annealed", "wtd"})
_LIKE = word_set("latent lat divergence reg regularization regularizer regularisation prior")
_RECONSTRUCTION = word_set(
    "recon recons reconstruction reconstruct reconst reconstructed rec distortion mel "
    "rekonstruktion reconstrucción reconstrução реконструкция 重构 重建 再構成"
)
_RECONSTRUCTION_MORE = word_set("mse bce l1 l2 mae ce nll x error err image img pixel r")
_TOTAL = frozenset({"total", "objective", "overall", "combined"})


@lru_cache(maxsize=4096)
def words_of(column: str) -> tuple[str, ...]:
    """The words of a name in small letters: ``train/klLoss_z`` is train, kl, loss, z."""
    words: list[str] = []
    for piece in _BREAKS.split(column[:200]):
        if not piece:
            continue
        if piece.lower() in _GLUED or piece.islower():
            words += _unglued(piece.lower())
        else:
            for part in _PARTS.findall(piece):
                words += _unglued(part.lower())
    return tuple(words)


def kind_of(words: tuple[str, ...]) -> Kind:
    """What a name can stand for by its words, without split and averaging."""
    held = set(words)
    if held & _KL:
        is_weight_first = words[0] in _WEIGHT and words[0] not in _WEIGHT_FIRST
        return "like kl" if is_weight_first else _kind_of_kl(held - _KL - {"leibler"})
    if "r" in held and held <= {"r", "loss", "vae", "model"} and "loss" in held:
        return "reconstruction"
    if held & _RECONSTRUCTION and held <= _RECONSTRUCTION | _RECONSTRUCTION_MORE | _NEUTRAL:
        return "reconstruction"
    if held & _TOTAL and held <= _TOTAL | {"loss", "l", "vae", "model", "train"}:
        return "total"
    if held & _LIKE and held <= _LIKE | _NEUTRAL and held & {"loss", "divergence"}:
        return "like kl"
    return ""


def is_like_kl(column: str) -> bool:
    """Whether a name can be that of a KL of some kind."""
    return kind_of(words_of(column)) in ("kl", "many kl", "like kl", "policy kl")


def _kind_of_kl(rest: set[str]) -> Kind:
    """What a KL with these words beside it is."""
    if rest & _POLICY:
        return "policy kl"
    if rest & _SETTING:
        return ""
    if rest & _WEIGHT:
        return "weight" if rest <= _WEIGHT | _OF_A_WEIGHT else "like kl"
    if rest & _WEIGHTED:
        return "like kl"
    if rest <= _NEUTRAL:
        return "kl"
    return "many kl" if any(word.isdigit() for word in rest) else "like kl"


def _unglued(word: str) -> tuple[str, ...]:
    """A word that people write together, taken apart."""
    if word in _GLUED:
        return _GLUED[word]
    if word.endswith("loss") and word[:-4] in _GLUED_LOSS:
        return (*_GLUED.get(word[:-4], (word[:-4],)), "loss")
    return (word,)
