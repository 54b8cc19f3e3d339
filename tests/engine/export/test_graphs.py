"""The graphs give what PyTorch gives, for batches and lengths that they were not made with."""

from dataclasses import dataclass, replace

import pytest
import torch

from latentvqa.data.tokenizer import BOS, PAD
from latentvqa.engine.assembly import build_model
from latentvqa.engine.export.graphs import (
    TOLERANCE as LIMIT,
)
from latentvqa.engine.export.graphs import (
    DecoderGraph,
    EncoderGraph,
    export_graphs,
    largest_difference,
    require_exportable,
    require_same,
)
from latentvqa.engine.language.reading import read_language_model
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.specification import specify
from latentvqa.errors import CheckpointError
from latentvqa.models import QuestionConditionedFusion, VQAModel
from tests.exported_run import exported
from tests.language_models import write_language_model
from tests.tiny import tiny_batch, tiny_config, tiny_model, tiny_tokenizers

__all__ = ["exported"]

# rounding in another order: a hundred times above what was measured (at most 1e-6)
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Both:
    model: VQAModel
    encoder: bytes
    decoder: bytes


KINDS = {
    "vision transformer, joint fusion": {
        "vision": {"name": "test_vit", "image_size": 32, "stride": "last"},
        "fusion": {"kind": "joint"},
    },
    "related patches, reading fusion": {
        "vision": {"layers": 1, "relative_places": True},
        "fusion": {"kind": "reading", "layers": 2},
    },
}


@pytest.fixture(params=["residual network, modulated fusion", *KINDS])
def both(request):
    """A model and its two files: those of the small run, and of another kind of model."""
    if request.param.startswith("residual"):
        exported = request.getfixturevalue("exported")
        model = load_model(exported.run, "cpu").model
        assert isinstance(model.fusion, QuestionConditionedFusion)
        files = [(exported.folder / f"{one}.onnx").read_bytes() for one in ("encoder", "decoder")]
        return Both(model, *files)
    model = tiny_model(**KINDS[request.param]).eval()
    graphs = export_graphs(model, "run")
    assert graphs.latents_difference < TOLERANCE and graphs.logits_difference < TOLERANCE
    return Both(model, graphs.encoder, graphs.decoder)


@pytest.mark.heavy
def test_latents_and_logits_are_those_of_pytorch(both):
    model = both.model
    draws = torch.Generator().manual_seed(1)
    side, longest = model.vision.preparation.size, model.question.positions.num_embeddings
    encoder, decoder = EncoderGraph(model).eval(), DecoderGraph(model).eval()
    for count in (1, 3):
        images = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=draws)
        for words in (1, 4, longest):
            questions = torch.randint(1, 12, (count, words), generator=draws)
            questions[-1, 2:] = PAD
            with torch.no_grad():
                latents = encoder(images, questions)
                expected = model.encode(images, torch.arange(count), questions).posterior.mu
            assert torch.equal(latents, expected)
            assert largest_difference(both.encoder, encoder, (images, questions)) < TOLERANCE
        for length in (1, 3, model.decoder.max_tokens):
            begun = torch.randint(4, 8, (count, length), generator=draws)
            begun[:, 0] = BOS
            assert largest_difference(both.decoder, decoder, (latents, begun)) < TOLERANCE


def test_the_decoder_half_gives_the_logits_that_the_model_answers_from():
    model, batch = tiny_model().eval(), tiny_batch()
    with torch.no_grad():
        encoded = model.encode(*batch.inputs)
        memory = model.memory(encoded, encoded.posterior.mu).tokens
        logits = model.decoder(batch.answers, memory)[:, -1]
        assert torch.equal(DecoderGraph(model)(encoded.posterior.mu, batch.answers), logits)


class Undecided(torch.nn.Module):
    """What it does hangs on the values of its input, which no graph can hold."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, images):
        return self.backbone(images) if images.sum().item() > 0 else self.backbone(-images)


@pytest.mark.heavy
def test_what_the_exporter_cannot_do_is_told_in_one_line():
    model = tiny_model().eval()
    model.vision.backbone = Undecided(model.vision.backbone)
    with pytest.raises(CheckpointError, match=r"^runs/a: its encoder cannot be exported") as caught:
        export_graphs(model, "runs/a")
    assert "\n" not in str(caught.value) and torch.__version__ in str(caught.value)


@pytest.mark.parametrize("difference", [1.1 * LIMIT, float("inf"), float("nan")])
def test_another_answer_than_that_of_pytorch_is_refused(difference):
    require_same("logits", 0.9 * LIMIT, "run")
    with pytest.raises(CheckpointError, match=r"^run: ONNX gives other logits than PyTorch"):
        require_same("logits", difference, "run")


@pytest.mark.parametrize(("key", "family"), [("encoder", "bert"), ("decoder", "gpt2")])
def test_a_pretrained_language_model_is_refused_by_the_key_that_names_it(key, family, tmp_path):
    known, _ = read_language_model(write_language_model(family, tmp_path), f"text.{key}")
    spec = specify(tiny_config(), tiny_tokenizers())
    part = {"encoder": "question_model", "decoder": "answer_model"}[key]
    model = build_model(replace(spec, **{part: known}))
    with pytest.raises(CheckpointError, match=rf"^runs/a: .*\(text\.{key}\)"):
        require_exportable(model, "runs/a")
