"""A real model of a few thousand parameters, and a batch for it."""

from dataclasses import dataclass

import torch

from latentvqa.config import Config
from latentvqa.config.resolving import resolve
from latentvqa.data.tokenizer import BOS, EOS, PAD, TextTokenizer, Tokenizers
from latentvqa.engine.assembly import build_model
from latentvqa.engine.specification import specify
from latentvqa.models import VQAModel
from latentvqa.objectives import answer_loss, answer_nll

QUESTIONS = (
    "what colour is the circle ?",
    "is it round ?",
    "where is the small red square ?",
    "how many ?",
)
ANSWERS = ("dark red", "yes", "left of the square", "two")
IMAGE_SIZE = 32


@dataclass(frozen=True)
class TinyBatch:
    images: torch.Tensor
    image_index: torch.Tensor
    questions: torch.Tensor
    answers: torch.Tensor

    @property
    def inputs(self):
        return self.images, self.image_index, self.questions


def tiny_config(**sections):
    """Resolved configuration; keywords are sections, their values keys."""
    base = {
        "data": {"scenes": "easy"},
        "vision": {"name": "test_resnet", "image_size": IMAGE_SIZE, "stride": 8},
        "text": {"question_layers": 1, "decoder_layers": 2, "max_answer_tokens": 4},
        "fusion": {"width": 16, "heads": 2, "layers": 1},
        "latent": {"tokens": 3, "dims": 4},
    }
    merged = {
        name: {**base.get(name, {}), **sections.get(name, {})} for name in {**base, **sections}
    }
    return resolve(Config.model_validate(merged))


def tiny_tokenizers():
    def trained(texts):
        return TextTokenizer.train(
            texts, kind="word", vocab_size=64, min_count=1, lowercase=True, split_punctuation=True
        )

    return Tokenizers(trained(QUESTIONS), trained(ANSWERS))


def tiny_model(seed=0, **sections) -> VQAModel:
    torch.manual_seed(seed)
    return build_model(specify(tiny_config(**sections), tiny_tokenizers()))


def padded(rows):
    width = max(map(len, rows))
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


def tiny_batch():
    """Three images, four questions; the first two share an image."""
    tokenizers = tiny_tokenizers()
    pixels = torch.randint(
        0, 256, (3, 3, IMAGE_SIZE, IMAGE_SIZE), generator=torch.Generator().manual_seed(1)
    )
    return TinyBatch(
        images=pixels.to(torch.uint8),
        image_index=torch.tensor([0, 0, 1, 2]),
        questions=padded(tokenizers.question.encode(QUESTIONS)),
        answers=padded([[*ids, EOS] for ids in tokenizers.answer.encode(ANSWERS)]),
    )


def loss_of(model, batch, temperature=0.0):
    """Answer loss of a batch in nats per token."""
    encoded = model.encode(*batch.inputs)
    latents = None if encoded.posterior is None else encoded.posterior.sample(temperature)
    memory = model.memory(encoded, latents).tokens
    logits = model.answer_logits(memory, batch.answers, BOS)
    return answer_loss(answer_nll(logits, batch.answers), batch.answers)
