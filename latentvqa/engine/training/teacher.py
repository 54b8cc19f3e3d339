"""The preference term: better candidates should be likelier than worse ones.

Candidates are decoded without gradient; the loss is on the model's own sequence
log-probabilities, given the latent sample that produced each, so its gradient
reaches decoder, posterior and encoder.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from latentvqa.config import RULE_SCORER
from latentvqa.config import Teacher as TeacherSection
from latentvqa.core.answers.matching import score_answer
from latentvqa.core.languages.spelling import spelt
from latentvqa.core.quoting import shortened
from latentvqa.data.tokenizer import BOS, PAD, TextTokenizer
from latentvqa.engine.encoding import generate_answers
from latentvqa.errors import ConfigError, ScorerError
from latentvqa.models import Encoded, VQAModel
from latentvqa.objectives import answer_nll, preference_loss


class Scorer(Protocol):
    """Scores a candidate answer against the references."""

    def __call__(self, candidate: str, references: Sequence[str]) -> float:
        """Return a score in [0, 1]; higher is better."""


@dataclass(frozen=True)
class Preference:
    """The teacher's term of one batch.

    Attributes:
        loss: mean hinge over the batch's questions; those without a preference
            count as 0.
        compared: questions whose candidates were scored.
        differing: questions whose best and worst score differ.
        violating: of these, the ones inside the margin.
    """

    loss: Tensor
    compared: int
    differing: int
    violating: Tensor


class Teacher:
    """Draws candidates, scores them and ranks the model's own probabilities.

    Args:
        scorer: name of what scores them, as in :func:`load_scorer`.
        tokenizer: of the answers.
    """

    def __init__(self, scorer: str, tokenizer: TextTokenizer) -> None:
        self._tokenizer = tokenizer
        self._name, self._scorer = scorer, load_scorer(scorer)
        self._texts: dict[tuple[int, ...], str] = {}

    def preference(
        self,
        model: VQAModel,
        encoded: Encoded,
        references: Sequence[Sequence[str]],
        temperature: float,
        section: TeacherSection,
    ) -> Preference:
        """Compare candidates of each question.

        Args:
            model: the model in training.
            encoded: its encoding of the batch, with gradient.
            references: reference answers of each question.
            temperature: latent temperature of the candidates.
            section: number of candidates, margin, and what counts as a difference.
        """
        samples, count = section.samples, len(encoded.fused)
        latents = self._sample(encoded, samples, temperature)
        tokens = self._decode(model, encoded, latents, samples)  # (N, Q, A)
        best, worst, pairs = self._choose(tokens, references, section.min_score_difference)
        if not len(pairs):
            zero = encoded.fused.sum() * 0.0
            return Preference(zero, count, 0, torch.zeros((), device=zero.device))
        questions = torch.tensor(pairs, device=tokens.device)
        chosen = torch.tensor([best, worst], device=tokens.device).flatten()  # (2 P,)
        rows = questions.repeat(2)
        memory = self._memory(model, encoded, latents, chosen, rows)
        log_probability = self._log_probability(model, memory, tokens[chosen, rows])
        better, worse = log_probability.chunk(2)
        hinge = preference_loss(better, worse, section.margin)
        return Preference(
            loss=hinge.sum() / count,
            compared=count,
            differing=len(pairs),
            violating=(hinge.detach() > 0).sum(),
        )

    def _sample(self, encoded: Encoded, samples: int, temperature: float) -> Tensor | None:
        posterior = encoded.posterior
        if posterior is None or posterior.logvar is None:
            return None  # without noise candidates differ by sampling from the decoder
        return torch.stack([posterior.sample(temperature) for _ in range(samples)])  # (N, Q, K, Z)

    @torch.no_grad()
    def _decode(
        self, model: VQAModel, encoded: Encoded, latents: Tensor | None, samples: int
    ) -> Tensor:
        was_training = model.decoder.training
        model.decoder.eval()
        count = len(encoded.fused)
        if latents is None:
            rows = torch.arange(count, device=encoded.fused.device).repeat(samples)
            memory = self._memory(model, encoded, None, rows, rows)
        else:
            memory = model.memory(encoded, latents.flatten(0, 1)).tokens  # (N Q, K, D)
        generated = generate_answers(model, memory, is_sampled=latents is None)
        model.decoder.train(was_training)
        return generated.tokens.view(samples, count, -1)

    def _memory(
        self,
        model: VQAModel,
        encoded: Encoded,
        latents: Tensor | None,
        samples: Tensor,
        rows: Tensor,
    ) -> Tensor:
        """Memory of chosen (sample, question) pairs, with gradient."""
        if latents is not None:
            return model.memory(encoded, latents[samples, rows]).tokens
        if encoded.posterior is None:
            return encoded.fused[rows]
        return model.memory(encoded, encoded.posterior.mu[rows]).tokens

    def _choose(
        self, tokens: Tensor, references: Sequence[Sequence[str]], least: float
    ) -> tuple[list[int], list[int], list[int]]:
        best, worst, pairs = [], [], []
        columns = tokens.transpose(0, 1).tolist()  # (Q, N, A)
        for row, candidates in enumerate(columns):
            if all(candidate == candidates[0] for candidate in candidates):
                continue
            wanted = [spelt(one, self._tokenizer.language) for one in references[row]]
            scores = [self._score(tuple(one), wanted) for one in candidates]
            if max(scores) - min(scores) > least:
                best.append(scores.index(max(scores)))
                worst.append(scores.index(min(scores)))
                pairs.append(row)
        return best, worst, pairs

    def _score(self, tokens: tuple[int, ...], references: Sequence[str]) -> float:
        text = self._texts.get(tokens)
        if text is None:
            text = self._texts[tokens] = self._tokenizer.decode(list(tokens))
        try:
            score = float(self._scorer(text, references))
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}"
            raise self._failed(text, f"failed with {reason}") from error
        if not math.isfinite(score):
            raise self._failed(text, f"gave {score}")
        return score

    def _failed(self, text: str, how: str) -> ScorerError:
        return ScorerError(
            f'teacher.scorer = "{self._name}": on the answer {shortened(text)} it {how}. The last '
            "checkpoint stays: mend the scorer and go on with --resume."
        )

    @staticmethod
    def _log_probability(model: VQAModel, memory: Tensor, tokens: Tensor) -> Tensor:
        """Length-normalised log-probability of each candidate, shape ``(N,)``."""
        nll = answer_nll(model.answer_logits(memory, tokens, BOS), tokens, PAD)
        return -nll / (tokens != PAD).sum(dim=1).clamp(min=1)


def load_scorer(name: str) -> Scorer:
    """Find a scorer: ``"rule"`` or ``package.module:factory``.

    Raises:
        ConfigError: if the factory cannot be imported or called.
    """
    if name == RULE_SCORER:
        return score_answer
    module, _, attribute = name.partition(":")
    try:
        factory: Callable[[], Scorer] = getattr(importlib.import_module(module), attribute)
        scorer = factory()
    except (Exception, SystemExit) as error:  # somebody else's module may do whatever it likes
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f'teacher.scorer = "{name}": no scorer could be made ({reason}). It must name an '
            "importable factory without arguments."
        ) from error
    if not callable(scorer):
        raise ConfigError(f'teacher.scorer = "{name}": it made {scorer!r}, which is no scorer.')
    return scorer
