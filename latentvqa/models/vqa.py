"""The whole model: one place where the parts meet."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from latentvqa.models.decoder import AnswerDecoder
from latentvqa.models.fusion import (
    Fused,
    JointFusion,
    QuestionConditionedFusion,
    ReadingFusion,
)
from latentvqa.models.language.decoder import PretrainedDecoder
from latentvqa.models.language.question import PretrainedQuestionEncoder
from latentvqa.models.latent import LatentBottleneck, Posterior, token_dropout, zero_token
from latentvqa.models.question import QuestionEncoder
from latentvqa.models.vision import VisionEncoder


@dataclass(frozen=True)
class Encoded:
    """What the encoder knows of each question.

    Attributes:
        fused: fused tokens, shape ``(Q, N, D)``.
        posterior: the latent posterior; absent under bottleneck ``"none"``.
        read: where the fused tokens come from, as :class:`Fused` has it.
    """

    fused: Tensor
    posterior: Posterior | None
    read: Tensor | None = None


@dataclass(frozen=True)
class Memory:
    """What the decoder reads.

    Attributes:
        tokens: shape ``(Q, M, D)``, after token dropout.
        before_dropout: the same before dropout and token identities; absent
            where the decoder sees the fused tokens.
    """

    tokens: Tensor
    before_dropout: Tensor | None


class VQAModel(nn.Module):
    """Vision, question, fusion, latent bottleneck and decoder.

    Args:
        vision: images to patch tokens.
        question: question tokens to vectors.
        fusion: lets patches and question meet.
        bottleneck: the latent tokens; ``None`` lets the decoder see the fused
            tokens.
        decoder: answers from memory tokens.
    """

    def __init__(
        self,
        *,
        vision: VisionEncoder,
        question: QuestionEncoder | PretrainedQuestionEncoder,
        fusion: QuestionConditionedFusion | JointFusion | ReadingFusion,
        bottleneck: LatentBottleneck | None,
        decoder: AnswerDecoder | PretrainedDecoder,
    ) -> None:
        super().__init__()
        self.vision = vision
        self.question = question
        self.fusion = fusion
        self.bottleneck = bottleneck
        self.decoder = decoder

    def encode(
        self, images: Tensor, image_index: Tensor | None, question_tokens: Tensor
    ) -> Encoded:
        """Encode every distinct image once and every question with its image.

        Args:
            images: uint8 pixels of the distinct images, ``(B, 3, size, size)``, or
                the backbone's features of them.
            image_index: image of each question, shape ``(Q,)``, values below B; None where
                question i is about image i.
            question_tokens: ids padded with 0, shape ``(Q, T)``.
        """
        return self.encode_patches(self.vision(images), image_index, question_tokens)

    def encode_patches(
        self, patches: Tensor, image_index: Tensor | None, question_tokens: Tensor
    ) -> Encoded:
        """As :meth:`encode`, from patch tokens ``(B, P, D)``."""
        question, mask = self.question(question_tokens)
        fused: Fused = self.fusion(patches, image_index, question, mask)
        posterior = None if self.bottleneck is None else self.bottleneck.posterior(fused.tokens)
        return Encoded(fused=fused.tokens, posterior=posterior, read=fused.read)

    def attention_over(self, encoded: Encoded) -> Tensor:
        """Attention of each latent token over patches and, last, the question, ``(Q, K, P + 1)``.

        Where the fused tokens have read the patches, the shares are carried through them
        (attention rollout, Abnar and Zuidema 2020, arXiv:2005.00928).

        Raises:
            ValueError: without a bottleneck.
        """
        if self.bottleneck is None:
            raise ValueError("there are no latent tokens without a bottleneck")
        weights = self.bottleneck.attention_over(encoded.fused)  # (Q, K, N)
        return weights if encoded.read is None else weights @ encoded.read.to(weights.dtype)

    def memory(
        self,
        encoded: Encoded,
        latents: Tensor | None,
        *,
        drop_probability: float = 0.0,
        without_token: int | None = None,
    ) -> Memory:
        """What the decoder may read: the latents, or the fused tokens without them.

        Args:
            encoded: output of :meth:`encode`.
            latents: z of shape ``(Q, K, Z)``; ``None`` for the fused tokens.
            drop_probability: chance of each memory token to be zeroed.
            without_token: a memory token that is zeroed in every row.
        """
        if self.bottleneck is None or latents is None:
            return Memory(tokens=encoded.fused, before_dropout=None)
        whole = self.bottleneck.memory(latents)
        dropped = token_dropout(whole, drop_probability)
        if without_token is not None:
            dropped = zero_token(dropped, without_token)
        return Memory(tokens=self.bottleneck.identify(dropped), before_dropout=whole)

    def answer_logits(self, memory: Tensor, answer_tokens: Tensor, begin_id: int) -> Tensor:
        """Teacher-forced logits.

        Args:
            memory: memory tokens, shape ``(Q, M, D)``.
            answer_tokens: targets with their end token, padded, ``(Q, A)``.
            begin_id: token that the decoder starts from.

        Returns:
            Logits of each target, shape ``(Q, A, V)``.
        """
        begin = torch.full_like(answer_tokens[:, :1], begin_id)
        inputs = torch.cat([begin, answer_tokens[:, :-1]], dim=1)  # (Q, A)
        logits: Tensor = self.decoder(inputs, memory)
        return logits
