"""A pretrained language model as answer decoder: the memory tokens are all that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from latentvqa.models.language.library import (
    LanguageModel,
    model_from_shape,
    read_model,
    transformers_library,
)
from latentvqa.models.low_rank import add_lora

_KEY = "text.decoder"
_RESERVED, _PAD, _BOS, _EOS, _UNK = 4, 0, 1, 2, 3
_IMPOSSIBLE = -1e4  # a logit; finite, so that nothing becomes NaN


@dataclass
class LibraryCache:
    """What generation has seen: the memory ``(Q, M, C)`` and the library's own cache."""

    memory: Tensor
    past: Any


class PretrainedDecoder(nn.Module):
    """Decoder of the transformers library over the memory tokens alone.

    An encoder-decoder model takes them as the output of its encoder, whose layers
    are left out; a decoder-only model takes them as a soft prefix.

    Args:
        model: its shape and special ids.
        width: size D of the memory tokens.
        max_tokens: longest answer in tokens, end token included.
        lora_rank: rank of the matrices that are trained beside frozen linear layers;
            0 trains all of it.
        pretrained: folder or ``hf-hub:`` name of its weights; untrained without.

    Raises:
        ConfigError: if the library or the weights cannot be had.
    """

    backbone: Any
    library_ids: Tensor
    is_text: Tensor

    def __init__(
        self,
        model: LanguageModel,
        *,
        width: int,
        max_tokens: int,
        lora_rank: int = 0,
        pretrained: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.model, self.max_tokens, self.lora_rank = model, max_tokens, lora_rank
        self.is_pair = bool(model.shape.get("is_encoder_decoder"))
        kind = "AutoModelForSeq2SeqLM" if self.is_pair else "AutoModelForCausalLM"
        if pretrained is None:
            self.backbone = model_from_shape(kind, model.shape, _KEY)
        else:
            self.backbone = read_model(kind, pretrained, _KEY)
        self.backbone.float()
        if self.is_pair:
            _drop_layers(self.backbone.get_encoder())
        channels = int(self.backbone.get_input_embeddings().weight.shape[1])
        self.project = nn.Linear(width, channels)
        if lora_rank:
            add_lora(self.backbone, lora_rank, "text.lora_rank")
        self._trained = [one for one in self.backbone.parameters() if one.requires_grad]
        known = torch.tensor([model.padding, model.start, model.end, model.unknown or 0])
        self.register_buffer("library_ids", torch.cat([known, torch.arange(model.vocabulary)]))
        self.register_buffer("is_text", self._text_ids())

    def requires_grad_(self, requires_grad: bool = True) -> PretrainedDecoder:
        """Freeze or unfreeze what is trained of it; what never is stays frozen."""
        self.project.requires_grad_(requires_grad)
        for parameter in self._trained:
            parameter.requires_grad_(requires_grad)
        return self

    def forward(self, tokens: Tensor, memory: Tensor) -> Tensor:
        """Predict every next token at once.

        Args:
            tokens: decoder input in our ids, begin token first, shape ``(Q, A)``.
            memory: memory tokens, shape ``(Q, M, D)``.

        Returns:
            Logits of our ids at each position, shape ``(Q, A, V)``.
        """
        ids, prefix = self.library_ids[tokens], self.project(memory)
        if self.is_pair:
            found = self.backbone(
                encoder_outputs=self._encoded(prefix), decoder_input_ids=ids, use_cache=False
            )
            return self._ours(found.logits)
        embedded = self.backbone.get_input_embeddings()(ids)
        whole = torch.cat([prefix, embedded], dim=1)  # (Q, M + A, C)
        logits = self.backbone(inputs_embeds=whole, use_cache=False).logits
        return self._ours(logits[:, prefix.shape[1] :])

    def start(self, memory: Tensor) -> LibraryCache:
        """Make an empty cache for ``memory`` (Q, M, D)."""
        library, prefix = transformers_library(_KEY), self.project(memory)
        if self.is_pair:
            past = library.EncoderDecoderCache(library.DynamicCache(), library.DynamicCache())
            return LibraryCache(prefix, past)
        past = library.DynamicCache()
        self.backbone(inputs_embeds=prefix, cache=past, use_cache=True)
        return LibraryCache(prefix, past)

    def step(self, tokens: Tensor, position: int, cache: LibraryCache) -> Tensor:
        """Predict the token after ``tokens`` (Q,); extend the cache.

        Returns:
            Logits of shape ``(Q, V)``.
        """
        ids = self.library_ids[tokens][:, None]
        if self.is_pair:
            found = self.backbone(
                encoder_outputs=self._encoded(cache.memory),
                decoder_input_ids=ids,
                cache=cache.past,
                use_cache=True,
            )
        else:
            found = self.backbone(input_ids=ids, cache=cache.past, use_cache=True)
        return self._ours(found.logits[:, -1])

    def select(self, cache: LibraryCache, rows: Tensor) -> None:
        """Let a cache go on with these of its rows, in this order; shape ``(R,)``."""
        cache.memory = cache.memory[rows]
        cache.past.reorder_cache(rows)

    def _encoded(self, memory: Tensor) -> Any:
        outputs = transformers_library(_KEY).modeling_outputs
        return outputs.BaseModelOutput(last_hidden_state=memory)

    def _ours(self, logits: Tensor) -> Tensor:
        """Logits by our ids ``(..., V)``; what is no answer text is impossible."""
        ours = logits[..., self.library_ids]  # the library's vocabulary may be padded
        return torch.where(self.is_text, ours, _IMPOSSIBLE)

    def _text_ids(self) -> Tensor:
        is_text = torch.ones(_RESERVED + self.model.vocabulary, dtype=torch.bool)
        is_text[[_PAD, _BOS]] = False
        is_text[_UNK] = self.model.unknown is not None
        is_text[torch.tensor(self.model.specials, dtype=torch.long) + _RESERVED] = False
        return is_text


def _drop_layers(encoder: nn.Module) -> None:
    """Empty an encoder that is never run; its embeddings may be tied to the decoder's."""
    for name, child in encoder.named_children():
        if isinstance(child, nn.ModuleList):
            setattr(encoder, name, nn.ModuleList())
