"""A pretrained language model as question encoder: its own tokens, a projection to our width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from latentvqa.models.language.library import (
    LanguageModel,
    model_from_shape,
    read_model,
)
from latentvqa.models.low_rank import add_lora
from latentvqa.models.question import hide_words

_KEY = "text.encoder"
_RESERVED, _PAD, _UNK = 4, 0, 3  # our ids come before the library's
_BLOCK = 128  # questions encoded at a time when they are to be remembered


class PretrainedQuestionEncoder(nn.Module):
    """Encoder of the transformers library, its token vectors projected to the model's width.

    Of an encoder-decoder model the encoder is taken.

    Args:
        model: its shape and special ids.
        width: size D of the token vectors.
        dropout: dropout probability of the token vectors in training.
        word_dropout: chance of each token to be hidden in training.
        trained_layers: layers at its end that are trained; None trains all of it.
        lora_rank: rank of the matrices that are trained beside frozen linear layers;
            0 for none.
        pretrained: folder or ``hf-hub:`` name of its weights; untrained without.

    Raises:
        ConfigError: if the library or the weights cannot be had.
    """

    backbone: Any

    def __init__(
        self,
        model: LanguageModel,
        *,
        width: int,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        trained_layers: int | None = 0,
        lora_rank: int = 0,
        pretrained: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.model, self.word_dropout = model, word_dropout
        is_pair = bool(model.shape.get("is_encoder_decoder"))

        def part(whole: Any) -> Any:
            return whole.get_encoder() if is_pair else whole

        whole: Any
        if pretrained is None:
            whole = model_from_shape("AutoModel", model.shape, _KEY)
        else:
            whole = read_model("AutoModel", pretrained, _KEY, part)
        self.backbone = part(whole)
        self.backbone.float()
        if lora_rank:
            add_lora(self.backbone, lora_rank, "text.lora_rank")
        else:
            _train_last(self.backbone, trained_layers)
        channels = int(whole.config.hidden_size)
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.project = nn.Linear(channels, width)
        self._remembered: dict[tuple[int, ...], Tensor] = {}

    @property
    def is_frozen(self) -> bool:
        """Whether no weight of the language model is trained."""
        return not any(parameter.requires_grad for parameter in self.backbone.parameters())

    def train(self, mode: bool = True) -> PretrainedQuestionEncoder:
        """Switch the mode; a frozen language model stays in eval mode."""
        super().train(mode)
        if self.is_frozen:
            self.backbone.eval()
        return self

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Encode questions.

        Args:
            tokens: our token ids padded with 0, shape ``(Q, T)``.

        Returns:
            Token vectors ``(Q, T', D)``, special tokens included, and the mask
            ``(Q, T')``, true on tokens.
        """
        known = self._recalled(tokens) if self._remembered else None
        features, mask = self.features(tokens) if known is None else known
        x: Tensor = self.project(self.dropout(self.norm(features)))
        return x, hide_words(mask, self.word_dropout if self.training else 0.0)

    def features(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Token vectors of the language model ``(Q, T', C)``, and their mask ``(Q, T')``."""
        ids, mask = self._with_specials(tokens)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen):
            found = self.backbone(input_ids=ids, attention_mask=mask.long())
        return found.last_hidden_state, mask

    @torch.no_grad()
    def remember(
        self,
        questions: Sequence[Sequence[int]],
        device: torch.device,
        on_progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Encode questions once and for all; only a frozen language model can.

        They are encoded in an order and in blocks that depend on the questions
        alone, so that the same questions have the same vectors in every run.

        Args:
            questions: our token ids of each.
            device: where the model lies, and where the vectors are kept.
            on_progress: called with questions done and in all; may raise to stop.
        """
        if not self.is_frozen:
            raise ValueError("the language model is trained: its vectors change")
        ordered = sorted({tuple(ids) for ids in questions}, key=lambda ids: (len(ids), ids))
        for start in range(0, len(ordered), _BLOCK):
            block = ordered[start : start + _BLOCK]
            tokens = pad_sequence([torch.tensor(ids) for ids in block], batch_first=True)
            features, mask = self.features(tokens.to(device))
            for ids, row, seen in zip(block, features, mask, strict=True):
                self._remembered[ids] = row[seen].clone()
            on_progress(start + len(block), len(ordered))

    def _recalled(self, tokens: Tensor) -> tuple[Tensor, Tensor] | None:
        """Remembered vectors of a batch and their mask; None if one is new."""
        rows = [tuple(id_ for id_ in row if id_ != _PAD) for row in tokens.tolist()]
        if not all(row in self._remembered for row in rows):
            return None
        found = [self._remembered[row] for row in rows]
        features = pad_sequence(found, batch_first=True)
        lengths = torch.tensor([len(one) for one in found], device=features.device)
        mask = torch.arange(features.shape[1], device=features.device) < lengths[:, None]
        return features, mask

    def _with_specials(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The library's ids with its special ones around each question, and their mask."""
        model, places = self.model, tokens != _PAD
        unknown = model.padding if model.unknown is None else model.unknown
        ids = torch.where(tokens == _UNK, unknown, tokens - _RESERVED)
        before, after = len(model.prefix), len(model.suffix)
        count, longest = tokens.shape
        whole = tokens.new_full((count, before + longest + after), model.padding)
        whole[:, :before] = torch.tensor(model.prefix, dtype=torch.long, device=tokens.device)
        whole[:, before : before + longest] = torch.where(places, ids, model.padding)
        lengths = before + places.sum(dim=1)
        for place, special in enumerate(model.suffix):
            whole.scatter_(1, lengths[:, None] + place, special)
        positions = torch.arange(whole.shape[1], device=tokens.device)
        return whole, positions < (lengths + after)[:, None]


def _train_last(backbone: nn.Module, count: int | None) -> None:
    """Leave only the last layers trainable, with what follows them; None leaves all."""
    if count is None:
        return
    backbone.requires_grad_(False)
    stacks = [one for one in backbone.modules() if isinstance(one, nn.ModuleList)]
    if not stacks or not count:
        return
    for layer in max(stacks, key=len)[-count:]:
        layer.requires_grad_(True)
