"""The two halves of a model as ONNX graphs, compared with the model that they come from.

The encoder ends where the decoder begins: at the latents, which anyone may read,
keep or exchange between the two.
"""

from __future__ import annotations

import importlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from latentvqa.data.tokenizer import BOS, PAD
from latentvqa.errors import CheckpointError
from latentvqa.models import AnswerDecoder, QuestionEncoder, VQAModel
from latentvqa.stopping import poll_if_lost

TOLERANCE = 1e-3  # of a latent or logit; rounding alone stays a thousand times below it
_MOST_BYTES = 2 * 10**9  # of weights in one file: the limit of the format
_SEED = 0


class EncoderGraph(nn.Module):
    """Images and questions to latents: the posterior mean, no noise.

    Args:
        model: in eval mode.
    """

    def __init__(self, model: VQAModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, question: Tensor) -> Tensor:
        """Encode every image with its question.

        Args:
            image: uint8 pixels, shape ``(Q, 3, size, size)``.
            question: token ids padded with 0, shape ``(Q, T)``.

        Returns:
            The means, shape ``(Q, K, Z)``; without a bottleneck the fused tokens,
            ``(Q, N, D)``.
        """
        encoded = self.model.encode(image, None, question)
        return encoded.fused if encoded.posterior is None else encoded.posterior.mu


class DecoderGraph(nn.Module):
    """Latents and the answer so far to logits of the next word.

    Args:
        model: in eval mode.
    """

    def __init__(self, model: VQAModel) -> None:
        super().__init__()
        self.bottleneck, self.decoder = model.bottleneck, model.decoder

    def forward(self, latents: Tensor, answer: Tensor) -> Tensor:
        """Predict the next word.

        Args:
            latents: as :class:`EncoderGraph` gives them.
            answer: token ids, the begin token first, shape ``(Q, A)``.

        Returns:
            Logits of shape ``(Q, V)``.
        """
        memory = latents
        if self.bottleneck is not None:
            memory = self.bottleneck.identify(self.bottleneck.memory(latents))
        logits: Tensor = self.decoder(answer, memory)[:, -1]
        return logits


@dataclass(frozen=True)
class Graphs:
    """A model in two files.

    Attributes:
        encoder: content of ``encoder.onnx``.
        decoder: content of ``decoder.onnx``.
        latents_difference: largest difference of a latent from PyTorch's.
        logits_difference: the same of a logit.
    """

    encoder: bytes
    decoder: bytes
    latents_difference: float
    logits_difference: float


def export_graphs(model: VQAModel, source: object) -> Graphs:
    """Export both halves and compare them with the model on other batches and lengths.

    Args:
        model: in eval mode, on the CPU.
        source: what messages call the model.

    Raises:
        CheckpointError: if a half cannot be exported, or answers otherwise.
    """
    require_exportable(model, source)
    encoder, decoder = EncoderGraph(model).eval(), DecoderGraph(model).eval()
    encoder_file = _exported(
        encoder,
        _images_and_questions(model, 2, 3),
        axes={"image": ("batch",), "question": ("batch", "words")},
        output="latents",
        source=f"{source}: its encoder",
    )
    with torch.no_grad():
        latents = encoder(*_images_and_questions(model, 2, 3))
    decoder_file = _exported(
        decoder,
        (latents, _answers(model, 2, 2)),
        axes={"latents": ("batch",), "answer": ("batch", "length")},
        output="logits",
        source=f"{source}: its decoder",
    )
    latents_difference = logits_difference = 0.0
    for count, length in ((1, 1), (3, 2)):
        pictures = _images_and_questions(model, count, 2 * length)
        with torch.no_grad():
            latents = encoder(*pictures)
        latents_difference = max(
            latents_difference, largest_difference(encoder_file, encoder, pictures)
        )
        begun = (latents, _answers(model, count, length))
        logits_difference = max(logits_difference, largest_difference(decoder_file, decoder, begun))
    require_same("latents", latents_difference, source)
    require_same("logits", logits_difference, source)
    return Graphs(encoder_file, decoder_file, latents_difference, logits_difference)


def require_exportable(model: VQAModel, source: object) -> None:
    """Refuse a model that no two files of ONNX can stand for.

    Raises:
        CheckpointError: saying which part of it is in the way.
    """
    for key, part, own in (
        ("text.encoder", model.question, QuestionEncoder),
        ("text.decoder", model.decoder, AnswerDecoder),
    ):
        if not isinstance(part, own):
            raise CheckpointError(
                f"{source}: a pretrained language model ({key}) needs the library that it comes "
                "from for its tokens, and is not exported; train without it for an export."
            )
    size = sum(one.numel() * one.element_size() for one in model.parameters())
    if size > _MOST_BYTES:
        raise CheckpointError(
            f"{source}: its weights take {size / 1e9:.1f} GB, and a file of ONNX holds 2 GB; "
            "train a smaller vision.name for an export."
        )


def require_same(what: str, difference: float, source: object) -> None:
    """Refuse a graph that gives something else than its model.

    Args:
        what: it gives.
        difference: the largest one from PyTorch.
        source: what messages call the model.

    Raises:
        CheckpointError: where it is more than rounding, or not finite.
    """
    if not difference <= TOLERANCE:  # NaN is no small difference either
        raise CheckpointError(
            f"{source}: ONNX gives other {what} than PyTorch, by {difference:.3g}, so that "
            "nothing was written. Report it with the versions that latentvqa doctor shows."
        )


def largest_difference(graph: bytes, module: nn.Module, inputs: Sequence[Tensor]) -> float:
    """Largest absolute difference between what a graph and its module give.

    Args:
        graph: the file's content.
        module: in eval mode.
        inputs: of both, in the order of the graph's inputs.
    """
    onnxruntime = importlib.import_module("onnxruntime")  # of an extra
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    fed = {name: one.numpy() for name, one in zip(names, inputs, strict=True)}
    (found,) = session.run(None, fed)
    with torch.no_grad():
        expected = module(*inputs).numpy()
    return float(np.abs(found - expected).max())


def _exported(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    *,
    axes: dict[str, tuple[str, ...]],
    output: str,
    source: str,
) -> bytes:
    """One module as a graph whose named axes may have any length.

    Args:
        module: in eval mode.
        inputs: examples, of other lengths than 0 and 1, which would be kept for good.
        axes: the name of each input, with the names of its first axes.
        output: name of what it gives.
        source: beginning of a message.
    """
    shapes = tuple(dict(enumerate(named)) for named in axes.values())
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                inputs,
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=list(axes),
                output_names=[output],
                verbose=False,
            )
            content: bytes = program.model_proto.SerializeToString()  # type: ignore[union-attr]
    except Exception as error:  # the exporter raises whatever the parts of the model do
        poll_if_lost()  # no signal becomes a fault of the model
        raise CheckpointError(
            f"{source} cannot be exported by PyTorch {torch.__version__}: {_reason(error)}"
        ) from error
    return content


def _reason(error: BaseException) -> str:
    """The first line of the error that began it all."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}".split("\n", maxsplit=1)[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own work off the screen."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _images_and_questions(model: VQAModel, count: int, words: int) -> tuple[Tensor, Tensor]:
    """Random pixels and token ids, the last question one token shorter where it can be."""
    draws = torch.Generator().manual_seed(_SEED)
    size = model.vision.preparation.size
    encoder = cast("QuestionEncoder", model.question)
    longest, known = encoder.positions.num_embeddings, encoder.tokens.num_embeddings
    images = torch.randint(0, 256, (count, 3, size, size), generator=draws, dtype=torch.uint8)
    questions = torch.randint(1, known, (count, min(words, longest)), generator=draws)
    questions[-1, 1:][-1:] = PAD
    return images, questions


def _answers(model: VQAModel, count: int, length: int) -> Tensor:
    draws = torch.Generator().manual_seed(_SEED)
    decoder = cast("AnswerDecoder", model.decoder)
    shape = (count, min(length, decoder.max_tokens))
    answers = torch.randint(1, decoder.tokens.num_embeddings, shape, generator=draws)
    answers[:, 0] = BOS
    return answers
