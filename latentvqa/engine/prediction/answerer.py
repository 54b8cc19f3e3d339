"""A fixed list of questions, asked of stacks of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from latentvqa.core.figures import counted
from latentvqa.core.quoting import shortened
from latentvqa.data.cells import clean_text
from latentvqa.data.decoding import ImageTransform
from latentvqa.data.tokenizer import EOS, PAD, UNK
from latentvqa.engine.answering import AnswerTexts, likeliest_answers, most_probable_answers
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.engine.runtime.device import autocast
from latentvqa.engine.scoring import SAMPLE_SEEDS, row_noise
from latentvqa.errors import ConfigError
from latentvqa.models import AnswerTrie, Encoded, Posterior

QUESTIONS_PER_BATCH = 640
_IMAGES_PER_BATCH = 64  # through the backbone at a time, whose activations are large
Others = tuple[tuple[str, float], ...]
# answer, its probability, attention of the latent tokens, other answers
Found = tuple[str, float, NDArray[np.float32] | None, Others]


class BatchAnswerer:
    """Answers a fixed list of questions about stacks of images.

    Args:
        loaded: the model.
        questions: what is asked, by place.
        samples: latent samples to answer from; 0 answers from z = mu.
        is_explained: keep where each latent token looked.
        top: answers of each question, the given one and others that are likely.
        answers: a closed list that the answer is chosen from.

    Raises:
        ConfigError: if the model can write none of these answers, or samples are
            asked for as well.

    Attributes:
        notes: what of each question the model cannot read.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        questions: Sequence[str],
        samples: int,
        is_explained: bool,
        top: int = 1,
        answers: Sequence[str] = (),
    ) -> None:
        self.loaded, self.samples, self.is_explained = loaded, samples, is_explained
        self.top = top
        preparation = loaded.model.vision.preparation
        self.transform = ImageTransform(
            preparation.size, preparation.interpolation, loaded.max_pixels
        )
        self._texts = AnswerTexts(loaded.tokenizers.answer)
        # as the cells of a table are read
        ids = loaded.tokenizers.question.encode([clean_text(text) for text in questions])
        limit = loaded.spec.max_question_tokens
        self.notes = [question_note(row, limit) for row in ids]
        self._questions = _padded([row[:limit] or [UNK] for row in ids])
        self._settings = loaded.scoring_settings(batch_size=1)
        if answers and samples:
            raise ConfigError("--answers chooses from z = mu: drop --samples")
        self._allowed = closed_list(loaded, answers) if answers else None

    def answer(self, pixels: NDArray[np.uint8]) -> list[list[Found]]:
        """What is found, image by image, question by question."""
        asked = len(self._questions)
        pairs = [(image, question) for image in range(len(pixels)) for question in range(asked)]
        answered = self.answer_pairs(pixels, pairs)
        return [answered[image * asked : (image + 1) * asked] for image in range(len(pixels))]

    @torch.no_grad()
    def answer_pairs(
        self, pixels: NDArray[np.uint8], pairs: Sequence[tuple[int, int]]
    ) -> list[Found]:
        """What is found for pairs of an image and a question.

        Args:
            pixels: of the images, shape ``(N, 3, size, size)``.
            pairs: place of the image in ``pixels``, and of the question.
        """
        device, model = self.loaded.device, self.loaded.model
        with autocast(device, self.loaded.precision):
            patches = torch.cat(
                [
                    model.vision(
                        torch.from_numpy(pixels[start : start + _IMAGES_PER_BATCH]).to(device)
                    )
                    for start in range(0, len(pixels), _IMAGES_PER_BATCH)
                ]
            )
        answered: list[Found] = []
        # many questions about few images are cut into batches as well
        for start in range(0, len(pairs), QUESTIONS_PER_BATCH):
            rows = torch.tensor(pairs[start : start + QUESTIONS_PER_BATCH])
            with autocast(device, self.loaded.precision):
                encoded = model.encode_patches(
                    patches, rows[:, 0].to(device), self._questions[rows[:, 1]].to(device)
                )
                if self._allowed is None:
                    answers, shares = self._decode(encoded)
                    others = self._others(encoded, answers)
                else:
                    answers, shares, others = self._choose(encoded)
                answered += zip(answers, shares, self._attention(encoded), others, strict=True)
        return answered

    def _attention(self, encoded: Encoded) -> Sequence[NDArray[np.float32] | None]:
        model = self.loaded.model
        if not self.is_explained or model.bottleneck is None:
            return [None] * len(encoded.fused)
        return list(model.attention_over(encoded).float().cpu().numpy())

    def _decode(self, encoded: Encoded) -> tuple[list[str], list[float]]:
        model, posterior = self.loaded.model, encoded.posterior
        memories = []
        for draw in range(max(1, self.samples)):
            latents = None
            if posterior is not None:
                latents = self._sample(posterior, draw) if self.samples else posterior.mu
            memories.append(model.memory(encoded, latents).tokens)
        found = most_probable_answers(
            model, memories, self._texts, logit_temperature=self._settings.logit_temperature
        )
        return found.answers, found.probabilities.tolist()

    def _others(self, encoded: Encoded, answers: Sequence[str]) -> list[Others]:
        """The likeliest answers beside the given ones."""
        if self.top == 1:
            return [()] * len(answers)
        return [
            tuple(item for item in ranked if item[0] != answer)[: self.top - 1]
            for answer, ranked in zip(answers, self._ranked(encoded), strict=True)
        ]

    def _choose(self, encoded: Encoded) -> tuple[list[str], list[float], list[Others]]:
        """The likeliest answers of the closed list."""
        ranked = self._ranked(encoded)
        best = [of_row[0] for of_row in ranked]
        others = [tuple(of_row[1:]) for of_row in ranked]
        return [text for text, _ in best], [share for _, share in best], others

    def _ranked(self, encoded: Encoded) -> list[list[tuple[str, float]]]:
        model, posterior = self.loaded.model, encoded.posterior
        memory = model.memory(encoded, None if posterior is None else posterior.mu).tokens
        return likeliest_answers(
            model,
            memory,
            self._texts,
            most=self.top,
            logit_temperature=self._settings.logit_temperature,
            allowed=self._allowed,
        )

    def _sample(self, posterior: Posterior, draw: int) -> torch.Tensor:
        """Latents with noise that depends on seed and draw alone, whatever else is asked."""
        settings = self._settings
        tokens, dims = posterior.mu.shape[1:]
        seed = settings.seed + SAMPLE_SEEDS * (draw + 1)
        noise = row_noise(torch.zeros(1, dtype=torch.int64), (tokens, dims), seed)
        return posterior.sample(settings.temperature, noise.to(posterior.mu.device))


def closed_list(loaded: LoadedModel, answers: Sequence[str]) -> AnswerTrie:
    """The answers of a list as the model writes them.

    Raises:
        ConfigError: naming those that it cannot write.
    """
    limit = loaded.spec.max_answer_tokens
    rows = [
        [*ids, EOS] for ids in loaded.tokenizers.answer.encode([clean_text(one) for one in answers])
    ]
    unwritable = [
        text
        for text, row in zip(answers, rows, strict=True)
        if UNK in row or not 1 < len(row) <= limit + 1
    ]
    if unwritable:
        shown = ", ".join(shortened(text) for text in unwritable[:10])
        more = f" and {len(unwritable) - 10:,} more" if len(unwritable) > 10 else ""
        raise ConfigError(
            f"--answers: the model cannot give {len(unwritable):,} of "
            f"{counted(len(answers), 'answer')}, for words that training never had or more than "
            f"{counted(limit, 'token')}: {shown}{more}. Take them out of the list."
        )
    return AnswerTrie(rows)


def question_note(ids: Sequence[int], most_tokens: int) -> str:
    """What of a question a model does not get to read; empty where it reads all of it.

    Args:
        ids: the whole question.
        most_tokens: what follows so many is cut.
    """
    read = ids[:most_tokens]
    unknown = read.count(UNK)
    notes = (
        [f"cut to {most_tokens} of {counted(len(ids), 'token')}"] if len(ids) > most_tokens else []
    )
    if unknown == len(read):
        notes.append("no known word")
    elif unknown:
        notes.append(f"{unknown} of {counted(len(read), 'word')} unknown")
    return "; ".join(notes)


def _padded(ids: Sequence[list[int]]) -> torch.Tensor:
    tokens = torch.full((len(ids), max(map(len, ids))), PAD)
    for row, known in enumerate(ids):
        tokens[row, : len(known)] = torch.tensor(known)
    return tokens
