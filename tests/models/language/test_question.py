import pytest
import torch
import transformers

from latentvqa.data.tokenizer import UNK
from latentvqa.engine.language.reading import read_language_model
from latentvqa.models import PretrainedQuestionEncoder
from latentvqa.models.weights import load_own_state, own_state
from tests.language_models import ENCODERS, PAIRS, write_language_model
from tests.tiny import QUESTIONS, padded

WIDTH = 12


@pytest.fixture(scope="module", params=(*ENCODERS, *PAIRS, "phobert"))
def read(request, tmp_path_factory):
    folder = write_language_model(request.param, tmp_path_factory.mktemp(request.param))
    return folder, *read_language_model(folder, "text.encoder")


def made(read, **options):
    folder, model, _ = read
    torch.manual_seed(0)
    return PretrainedQuestionEncoder(model, width=WIDTH, pretrained=folder, **options)


def questions_of(read, texts=QUESTIONS):
    return padded([ids or [UNK] for ids in read[2].encode(texts)])


def trained_names(encoder):
    return [name for name, one in encoder.backbone.named_parameters() if one.requires_grad]


def test_it_says_of_a_question_what_the_library_says(read):
    folder, _, _ = read
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    library = transformers.AutoModel.from_pretrained(folder).eval()
    if library.config.is_encoder_decoder:
        library = library.get_encoder()
    features, mask = made(read).eval().features(questions_of(read))
    for text, row, seen in zip(QUESTIONS, features, mask, strict=True):
        alone = tokenizer(text, return_tensors="pt")
        expected = library(
            input_ids=alone.input_ids, attention_mask=alone.attention_mask
        ).last_hidden_state
        assert torch.allclose(row[seen], expected[0], atol=1e-5)


def test_unknown_text_is_the_unknown_token_of_its_vocabulary(read):
    tokens = questions_of(read, ["is it ☃ ?"])
    assert UNK in tokens
    ids, _ = made(read)._with_specials(tokens)
    tokenizer = transformers.AutoTokenizer.from_pretrained(read[0])
    assert ids.tolist() == tokenizer(["is it ☃ ?"]).input_ids


def test_frozen_it_has_no_dropout_and_no_gradient(read):
    encoder = made(read).train()
    tokens = questions_of(read)
    assert encoder.is_frozen
    assert not encoder.backbone.training
    vectors, _ = encoder(tokens)
    vectors.sum().backward()
    assert all(one.grad is None for one in encoder.backbone.parameters())
    assert encoder.project.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "options", [{"trained_layers": 1}, {"trained_layers": None}, {"lora_rank": 2}]
)
def test_what_is_asked_for_is_trained(read, options):
    encoder = made(read, **options).train()
    assert not encoder.is_frozen
    encoder(questions_of(read))[0].square().sum().backward()
    names = trained_names(encoder)
    moved = [
        n
        for n, one in encoder.backbone.named_parameters()
        if one.grad is not None and one.grad.abs().sum() > 0
    ]
    assert moved
    assert set(moved) <= set(names)
    every = len(list(encoder.backbone.parameters()))
    if options.get("trained_layers") == 1:
        assert 0 < len(names) < every
        assert not any(
            ".0." in name
            for name in names
            if "layer" in name and "block.1" not in name and ".1." not in name
        )
    elif "lora_rank" in options:
        assert all("lora_" in name for name in names)
    else:
        assert len(names) == every


def test_remembered_questions_are_the_same_and_others_still_answered(read):
    encoder, tokens = made(read).eval(), questions_of(read)
    before, mask = encoder(tokens)
    encoder.remember(read[2].encode(QUESTIONS[:3]), torch.device("cpu"))
    after, mask_after = encoder(tokens[:3])
    longest = after.shape[1]
    assert torch.equal(mask_after, mask[:3, :longest])
    assert torch.allclose(after[mask_after], before[:3][mask[:3]], atol=1e-5)
    mixed, _ = encoder(tokens)  # the fourth is new
    assert torch.allclose(mixed[mask], before[mask], atol=1e-5)


def test_remembered_vectors_do_not_depend_on_the_order_of_the_questions(read):
    ids = read[2].encode(QUESTIONS)
    one, other = made(read).eval(), made(read).eval()
    one.remember(ids, torch.device("cpu"))
    other.remember([*reversed(ids), ids[0]], torch.device("cpu"))
    tokens = questions_of(read)
    assert torch.equal(one(tokens)[0], other(tokens)[0])


def test_a_model_that_is_trained_remembers_nothing(read):
    with pytest.raises(ValueError, match="trained"):
        made(read, trained_layers=1).remember([[4]], torch.device("cpu"))


def test_words_are_hidden_in_training_alone(read):
    encoder = made(read, word_dropout=0.5)
    tokens = questions_of(read)
    whole = encoder.eval()(tokens)[1]
    torch.manual_seed(0)
    hidden = encoder.train()(tokens)[1]
    assert (hidden & ~whole).sum() == 0
    assert hidden.sum() < whole.sum()
    assert hidden.any(dim=1).all()


def test_it_comes_back_from_its_own_state_without_the_folder(read):
    encoder, tokens = made(read).eval(), questions_of(read)
    again = PretrainedQuestionEncoder(read[1], width=WIDTH).eval()
    load_own_state(again, own_state(encoder))
    assert torch.equal(again(tokens)[0], encoder(tokens)[0])
