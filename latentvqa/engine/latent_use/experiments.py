"""The experiments behind a verdict on the latent: which latents and inputs are exchanged.

Every arm answers the same rows, so that each difference is a paired one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latentvqa.core.answers.matching import normalise_answer
from latentvqa.core.estimates import Estimate
from latentvqa.core.latent_use import LatentUseEvidence, LatentUseVerdict, judge_latent_use
from latentvqa.core.results.latent_use import (
    BASE,
    OTHER_IMAGE,
    SHUFFLED,
    Arm,
    Information,
    LatentUse,
    MeanAttention,
    MutualInformation,
    rank_tokens,
)
from latentvqa.data.tables import QuestionTable
from latentvqa.engine.latent_use.examination import Examination
from latentvqa.engine.latent_use.exchange import Exchange, find_exchange
from latentvqa.engine.latent_use.interventions import Answered, InterventionRunner, Reading
from latentvqa.engine.metrics.accumulator import ACTIVE_UNIT_VARIANCE, entropy_of, information_bound
from latentvqa.engine.metrics.exact_match import exact_matches
from latentvqa.engine.metrics.intervals import mean_with_interval
from latentvqa.engine.metrics.mutual_information import mutual_information
from latentvqa.models import Posterior

NOISE_TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)
MOST_ROWS = 10_000
SHORT_ROWS = 2_000
_MI_EXAMPLES = 2_000


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
    runner: InterventionRunner, best_prior: float, *, is_short: bool = False
) -> Examination:
    """Run the arms and judge.

    Args:
        runner: the model and the rows.
        best_prior: exact match of the best image-blind prior on these rows.
        is_short: only what the verdict needs and the exchange of images.
    """
    return _Arms(runner, is_short).result(best_prior)


class _Arms:
    """The arms of one examination, added one by one and compared with the first."""

    def __init__(self, runner: InterventionRunner, is_short: bool) -> None:
        self.runner, self.is_short = runner, is_short
        self.settings, self.encoded = runner.settings, runner.encoded
        self.table = self.encoded.table
        self.seed = self.settings.seed
        self.arms: dict[str, Arm] = {}
        self.movement: dict[str, Estimate] = {}
        self.is_gaussian = runner.has_latent and self.settings.kl.bottleneck == "gaussian"
        self.base = runner.encode(BASE)
        self._base_right = self._is_right(self.base.answered)
        self._base_said = [
            normalise_answer(text, self.settings.language) for text in self.base.answered.answers
        ]
        self._add(BASE, self.base.answered)

    def result(self, best_prior: float) -> Examination:
        """Run what is left and put everything together."""
        texts = [normalise_answer(text) for text in self.table.questions]
        same = find_exchange(texts, self.table.image_index, self.seed)
        any_row = find_exchange([None] * len(texts), self.table.image_index, self.seed + 1)
        posterior = self.base.posterior
        sampled = self.base.answered
        if posterior is not None:
            sampled = self._latent_arms(posterior, same, any_row) or sampled
        self._input_arms(any_row)
        information = self._information(posterior, sampled)
        active = None if posterior is None else _active_units(posterior.mu)
        attention = None
        if self.base.attention is not None and not self.is_short:
            attention = self.base.attention.numpy()
        result = LatentUse(
            verdict=None if posterior is None else self._verdict(best_prior, information, active),
            questions=len(self.table),
            images=len(self.table.image_paths),
            same_question_share=float((same.is_alike & same.has_source).mean()),
            arms=self.arms,
            movement=self.movement,
            cosine=None if posterior is None else self._cosine(posterior.mu, any_row),
            active_units=active,
            units=0 if posterior is None else posterior.mu[0].numel(),
            token_ranking=rank_tokens(self.arms, 0 if posterior is None else posterior.mu.shape[1]),
            information=information,
            mutual_information=None if posterior is None else self._mutual_information(posterior),
            attention=None if attention is None else self._mean_attention(attention),
        )
        return Examination(result, self.table.rows, attention)

    def _mean_attention(self, attention: np.ndarray) -> MeanAttention:
        mean = attention.mean(0, dtype=np.float64).round(6)  # (K, P + 1)
        return MeanAttention(self.runner.model.vision.grid, tuple(map(tuple, mean.tolist())))

    def _latent_arms(
        self, posterior: Posterior, same: Exchange, any_row: Exchange
    ) -> Answered | None:
        """Arms that only the decoder sees; gives the sample at validation temperature."""
        readings = dict(self._readings(posterior, same, any_row))
        answered = self.runner.read(readings)
        for name, said in answered.items():
            self._add(name, said)
        return answered.get("posterior_sample")

    def _readings(
        self, posterior: Posterior, same: Exchange, any_row: Exchange
    ) -> Iterator[tuple[str, Reading]]:
        mu = posterior.mu
        nothing, mean = torch.zeros_like(mu[:1]), mu.mean(0, keepdim=True)
        noise = torch.randn(mu.shape, generator=torch.Generator().manual_seed(self.seed))

        def noisy(temperature: float) -> Reading:
            latents = posterior.sample(temperature, noise)
            return Reading(lambda rows: latents[rows])

        if self.is_gaussian:
            yield "posterior_sample", noisy(self.settings.temperature)
        yield SHUFFLED, _exchanged(mu, same)
        yield "zero", Reading(lambda rows: nothing.expand(len(rows), -1, -1))
        if self.is_short:
            return
        yield "latents_of_any_example", _exchanged(mu, any_row)
        yield "dataset_mean", Reading(lambda rows: mean.expand(len(rows), -1, -1))
        if self.is_gaussian:
            yield "prior_sample", Reading(lambda rows: noise[rows])
            for temperature in NOISE_TEMPERATURES:
                yield f"noise_{temperature:g}", noisy(temperature)
        if mu.shape[1] > 1:
            for token in range(mu.shape[1]):
                yield f"without_token_{token}", Reading(lambda rows: mu[rows], token)

    def _input_arms(self, any_row: Exchange) -> None:
        """Arms that the whole model sees."""
        table = self.table
        self._encode(OTHER_IMAGE, image_index=table.image_index[any_row.sources])
        if self.is_short:
            return
        self._encode("image_blank", blank="image")
        asked = [table.questions[row] for row in self._other_questions()]
        self._encode("question_shuffled", questions=asked)
        self._encode("question_blank", blank="question")

    def _encode(self, name: str, *, blank: Any = None, **changed: Any) -> None:
        encoding = self.runner.encode(name, self.encoded.with_inputs(**changed), blank)
        self._add(name, encoding.answered)
        if self.base.posterior is not None and encoding.posterior is not None:
            self.movement[name] = self._moved(self.base.posterior.mu, encoding.posterior.mu)

    def _other_questions(self) -> np.ndarray:
        """For every row another row with another question, of its own image if it has one."""
        texts = np.unique(self.table.questions, return_inverse=True)[1]
        # source and row differ in what stands second: here the question
        return find_exchange(self.table.image_index.tolist(), texts, self.seed + 2).sources

    def _add(self, name: str, answered: Answered) -> None:
        is_right = self._is_right(answered)
        said = [normalise_answer(text, self.settings.language) for text in answered.answers]
        is_changed = np.array([a != b for a, b in zip(said, self._base_said, strict=True)])
        self.arms[name] = Arm(
            exact_match=self._measure(is_right),
            answer_nll=self._measure(answered.answer_nll),
            flip_rate=self._measure(is_changed.astype(float)),
            difference=self._measure(is_right - self._base_right),
        )

    def _is_right(self, answered: Answered) -> np.ndarray:
        return exact_matches(answered.answers, self.table.answers, self.settings.language)

    def _measure(self, values: np.ndarray) -> Estimate:
        return mean_with_interval(values, self.table.image_index)

    def _moved(self, before: Tensor, after: Tensor) -> Estimate:
        spread = 2.0 * float(before.double().var(0, correction=0).sum())
        squared = (after - before).double().square().sum((1, 2)).numpy()
        return self._measure(squared / spread if spread > 0.0 else np.zeros(len(squared)))

    def _cosine(self, mu: Tensor, exchange: Exchange) -> Estimate:
        flat = mu.flatten(1)
        values = torch.cosine_similarity(flat, flat[torch.from_numpy(exchange.sources)], dim=1)
        return self._measure(values.double().numpy())

    def _information(self, posterior: Posterior | None, sampled: Answered) -> Information:
        need = entropy_of(self.encoded.target_key(row) for row in range(len(self.encoded)))
        gain = need - float(sampled.answer_nll.mean())
        if posterior is None or posterior.logvar is None:
            return Information(None, gain, need, None)
        mu, logvar = posterior.mu.double(), posterior.logvar.double()
        bound = information_bound(
            mu.var(0, correction=0),
            logvar.exp().mean(0),
            float(logvar.sum((1, 2)).mean()),
            self.settings.temperature,
        )
        return Information(bound, gain, need, self.settings.temperature)

    def _mutual_information(self, posterior: Posterior) -> MutualInformation | None:
        temperature = self.settings.temperature
        if self.is_short or posterior.logvar is None or temperature <= 0.0:
            return None
        mu, logvar = posterior.mu.double(), posterior.logvar.double()
        count = min(len(mu), _MI_EXAMPLES)
        chosen = torch.arange(count) * len(mu) // count
        return mutual_information(mu[chosen], logvar[chosen], temperature, self.seed)

    def _verdict(
        self, best_prior: float, information: Information, active: int | None
    ) -> LatentUseVerdict:
        evidence = LatentUseEvidence(
            score=self.arms[BASE].exact_match.value,
            prior=best_prior,
            loss=self.arms[SHUFFLED].difference.negated,
            image_loss=self.arms[OTHER_IMAGE].difference.negated,
            information_bound=information.bound,
            answer_gain=information.answer_gain,
            answer_entropy=information.answer_entropy,
            active_units=active,
        )
        return judge_latent_use(evidence)


def _exchanged(mu: Tensor, exchange: Exchange) -> Reading:
    sources = torch.from_numpy(exchange.sources)
    return Reading(lambda rows: mu[sources[rows]])


def _active_units(mu: Tensor) -> int:
    return int((mu.double().var(0, correction=0) > ACTIVE_UNIT_VARIANCE).sum())
