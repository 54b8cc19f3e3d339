"""The experiments behind a verdict on the latent: which latents and inputs are exchanged.

Every arm answers the same rows, so that each difference is a paired one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentvqa.core.answers.matching import normalise_answer
from latentvqa.core.estimates import Estimate
from latentvqa.core.exchanges import Exchange as ExchangeEffect
from latentvqa.core.exchanges import ExchangeLimits, Span
from latentvqa.core.languages.spelling import spelt
from latentvqa.core.latent_use import LatentUseEvidence, LatentUseVerdict, judge_latent_use
from latentvqa.core.results.latent_use import (
    ANY_LATENTS,
    BASE,
    MATCHED,
    OTHER_IMAGE,
    OTHER_LATENTS,
    ZERO,
    Arm,
    Information,
    LatentUse,
    MeanAttention,
    MutualInformation,
    rank_tokens,
)
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.blind_scores import BlindScores
from latentvqa.engine.latent_use.examination import Examination
from latentvqa.engine.latent_use.exchange import Exchange, find_exchange
from latentvqa.engine.latent_use.interventions import (
    Answered,
    EncodingPass,
    InterventionRunner,
)
from latentvqa.engine.latent_use.replacements import replaced_latents
from latentvqa.engine.metrics.accumulator import ACTIVE_UNIT_VARIANCE, entropy_of
from latentvqa.engine.metrics.capacity import MOST_UNITS, LatentCovariance
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.metrics.intervals import Quantity, mean_with_interval
from latentvqa.engine.metrics.map_divergence import mean_map_divergence
from latentvqa.engine.metrics.mutual_information import mutual_information
from latentvqa.models import Posterior

MOST_ROWS = 10_000
SHORT_ROWS = 2_000
_MI_EXAMPLES = 2_000
_SAME_NATS = 0.01  # a loss that moves less in every row has not moved


def examined_rows(table: QuestionTable, most: int) -> np.ndarray:
    """Rows of images taken evenly until there are about ``most``, shape ``(n,)``.

    All questions of an image stay together: exchanges need the same question
    about several images.
    """
    if len(table) <= most:
        return np.arange(len(table))
    images = len(table.image_paths)
    wanted = max(2, images * most // len(table))
    kept = np.unique(np.arange(wanted) * images // wanted)
    return np.flatnonzero(np.isin(table.image_index, kept))


def examine_latent_use(
    runner: InterventionRunner,
    blind: BlindScores | None,
    limits: ExchangeLimits | None = None,
    *,
    is_short: bool = False,
) -> Examination:
    """Run the arms and judge.

    Args:
        runner: the model and the rows.
        blind: what models without images know of these rows; None where none is
            known, and the model leads over nothing then.
        limits: what a harmless exchange may do; the defaults without them.
        is_short: only what the verdict needs.
    """
    return _Arms(runner, blind, limits or ExchangeLimits(), is_short).result()


class _Arms:
    """The arms of one examination, added one by one and compared with the first."""

    def __init__(
        self,
        runner: InterventionRunner,
        blind: BlindScores | None,
        limits: ExchangeLimits,
        is_short: bool,
    ) -> None:
        self.runner, self.blind, self.limits, self.is_short = runner, blind, limits, is_short
        self.settings, self.encoded = runner.settings, runner.encoded
        self.table = self.encoded.table
        self.seed = self.settings.seed
        self.arms: dict[str, Arm] = {}
        self.effects: dict[str, ExchangeEffect] = {}
        self.movement: dict[str, Estimate] = {}
        self.is_gaussian = runner.has_latent and self.settings.kl.bottleneck == "gaussian"
        self.base = runner.encode(BASE)
        self._base_right = self._is_right(self.base.answered)
        self._base_said = [
            normalise_answer(text, self.settings.language) for text in self.base.answered.answers
        ]
        self._add(BASE, self.base.answered)

    def result(self) -> Examination:
        """Run what is left and put everything together."""
        any_row = find_exchange([None] * len(self.table), self.table.image_index, self.seed + 1)
        posterior = self.base.posterior
        other = self._encode(OTHER_IMAGE, image_index=self.table.image_index[any_row.sources])
        sampled, followed = self.base.answered, None
        if posterior is not None and other.posterior is not None:
            answered = self.runner.read(
                dict(
                    replaced_latents(
                        posterior,
                        other.posterior.mu,
                        any_row,
                        temperature=self.settings.temperature,
                        seed=self.seed,
                        is_short=self.is_short,
                    )
                )
            )
            for name, given in answered.items():
                self._add(name, given)
            sampled = answered.get("posterior_sample", sampled)
            followed = self._followed(answered[OTHER_LATENTS], other.answered)
        self._input_arms()
        information = self._information(posterior, sampled)
        active = None if posterior is None else _active_units(posterior.mu)
        looked = None if self.base.attention is None else self.base.attention.numpy()
        attention = None if self.is_short else looked
        verdict = None
        if posterior is not None:
            verdict = self._verdict(information, active, followed)
        result = LatentUse(
            verdict=verdict,
            questions=len(self.table),
            images=len(self.table.image_paths),
            arms=self.arms,
            movement=self.movement,
            cosine=None if posterior is None else self._cosine(posterior.mu, any_row),
            active_units=active,
            units=0 if posterior is None else posterior.mu[0].numel(),
            token_ranking=rank_tokens(self.arms, 0 if posterior is None else posterior.mu.shape[1]),
            information=information,
            mutual_information=None if posterior is None else self._mutual_information(posterior),
            attention=None if attention is None else self._mean_attention(attention),
            followed_share=followed,
            margin=self.limits.margin,
            map_divergence=None if looked is None else self._map_divergence(looked),
        )
        return Examination(result, self.table.rows, attention)

    def _followed(self, exchanged: Answered, about_other: Answered) -> float | None:
        """Of the answers that an exchange changed, the share that became the other image's."""
        normal = [
            [normalise_answer(text, self.settings.language) for text in answered.answers]
            for answered in (exchanged, about_other)
        ]
        changed = [
            now == wanted
            for now, wanted, before in zip(*normal, self._base_said, strict=True)
            if now != before
        ]
        return sum(changed) / len(changed) if changed else None

    def _mean_attention(self, attention: np.ndarray) -> MeanAttention:
        mean = attention.mean(0, dtype=np.float64).round(6)  # (K, P + 1)
        return MeanAttention(self.runner.model.vision.grid, tuple(map(tuple, mean.tolist())))

    def _map_divergence(self, looked: np.ndarray) -> float | None:
        return mean_map_divergence(looked, self.table.image_index, self.table.questions)

    def _input_arms(self) -> None:
        """Arms that the whole model sees, beside the exchange of images."""
        table = self.table
        if self.is_short:
            return
        self._encode("image_blank", blank="image")
        asked = [table.questions[row] for row in self._other_questions()]
        self._encode("question_shuffled", questions=asked)
        self._encode("question_blank", blank="question")

    def _encode(self, name: str, *, blank: Any = None, **changed: Any) -> EncodingPass:
        encoding = self.runner.encode(name, self.encoded.with_inputs(**changed), blank)
        self._add(name, encoding.answered)
        if self.base.posterior is not None and encoding.posterior is not None:
            self.movement[name] = self._moved(self.base.posterior.mu, encoding.posterior.mu)
        return encoding

    def _other_questions(self) -> np.ndarray:
        """For every row another row with another question, of its own image if it has one."""
        asked = [spelt(text, self.settings.language) for text in self.table.questions]
        texts = np.unique(asked, return_inverse=True)[1]
        # source and row differ in what stands second: here the question
        return find_exchange(self.table.image_index.tolist(), texts, self.seed + 2).sources

    def _add(self, name: str, answered: Answered) -> None:
        is_right = self._is_right(answered)
        said = [normalise_answer(text, self.settings.language) for text in answered.answers]
        is_changed = np.array([a != b for a, b in zip(said, self._base_said, strict=True)])
        self.arms[name] = Arm(
            exact_match=self._measure(is_right),
            answer_nll=self._measure(answered.answer_nll, "amount"),
            flip_rate=self._measure(is_changed.astype(float)),
            difference=self._measure(is_right - self._base_right, "difference"),
        )
        added = answered.answer_nll - self.base.answered.answer_nll
        self.effects[name] = ExchangeEffect(
            cost=Span.of(self.arms[name].difference.negated),
            nats=Span.of(self._measure(added, "amount")),
            flips=float(is_changed.mean()),
            is_identical=not is_changed.any() and float(np.abs(added).max()) < _SAME_NATS,
        )

    def _lead(self) -> Estimate:
        """Exact match above that of the best image-blind model; all of it without one."""
        if self.blind is None:
            return self.arms[BASE].exact_match
        best = max(self.blind.matches.values(), key=np.mean)
        return self._measure(self._base_right - best, "difference")

    def _is_right(self, answered: Answered) -> np.ndarray:
        return exact_matches(answered.answers, self.table.answers, self.settings.language)

    def _measure(self, values: np.ndarray, quantity: Quantity = "share") -> Estimate:
        return mean_with_interval(values, self.table.image_index, quantity=quantity)

    def _moved(self, before: Tensor, after: Tensor) -> Estimate:
        spread = 2.0 * float(before.double().var(0, correction=0).sum())
        squared = (after - before).double().square().sum((1, 2)).numpy()
        moved = squared / spread if spread > 0.0 else np.zeros(len(squared))
        return self._measure(moved, "amount")

    def _cosine(self, mu: Tensor, exchange: Exchange) -> Estimate:
        flat = mu.flatten(1)
        values = torch.cosine_similarity(flat, flat[torch.from_numpy(exchange.sources)], dim=1)
        return self._measure(values.double().numpy(), "amount")

    def _information(self, posterior: Posterior | None, sampled: Answered) -> Information:
        judged = np.ones(len(self.table), bool) if self.blind is None else self.blind.is_judged
        need = entropy_of(self.encoded.target_key(row) for row in range(len(self.encoded)))
        if self.blind is not None and need > 0.0:  # one answer alone needs nothing to be known
            need = self.blind.prior_nll
        gain = need - float(sampled.answer_nll[judged].mean())
        if posterior is None or posterior.logvar is None:
            return Information(None, gain, need, None)
        temperature, units = self.settings.temperature, posterior.mu[0].numel()
        if units > MOST_UNITS:
            return Information(None, gain, need, temperature)
        covariance = LatentCovariance(units, posterior.mu.device)
        covariance.add(posterior.mu, posterior.logvar)
        return Information(covariance.capacity(temperature), gain, need, temperature)

    def _mutual_information(self, posterior: Posterior) -> MutualInformation | None:
        temperature = self.settings.temperature
        if self.is_short or posterior.logvar is None or temperature <= 0.0:
            return None
        mu, logvar = posterior.mu.double(), posterior.logvar.double()
        count = min(len(mu), _MI_EXAMPLES)
        chosen = torch.arange(count) * len(mu) // count
        return mutual_information(mu[chosen], logvar[chosen], temperature, self.seed)

    def _verdict(
        self, information: Information, active: int | None, followed: float | None
    ) -> LatentUseVerdict:
        evidence = LatentUseEvidence(
            lead=Span.of(self._lead()),
            images=len(self.table.image_paths),
            zero=self.effects[ZERO],
            any_example=self.effects[ANY_LATENTS],
            matched=self.effects[MATCHED],
            other_image=self.effects[OTHER_LATENTS],
            shown_image=self.effects[OTHER_IMAGE],
            followed=followed,
            active_units=active,
            capacity=information.bound,
            gain=information.answer_gain,
            need=information.answer_entropy,
        )
        return judge_latent_use(evidence, self.limits)


def _active_units(mu: Tensor) -> int:
    return int((mu.double().var(0, correction=0) > ACTIVE_UNIT_VARIANCE).sum())
