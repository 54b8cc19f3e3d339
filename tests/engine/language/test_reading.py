import json
from dataclasses import dataclass

import pytest
import transformers

from latentvqa.config import Text
from latentvqa.data.tokenizer import UNK, Tokenizers
from latentvqa.engine.language.reading import read_language_model, read_text_parts
from latentvqa.errors import ConfigError
from tests.language_models import FAMILIES, write_language_model
from tests.tiny import ANSWERS, QUESTIONS


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request, tmp_path_factory):
    return write_language_model(request.param, tmp_path_factory.mktemp(request.param))


def test_its_ids_and_special_ids_are_those_of_the_library(folder):
    model, tokenizer = read_language_model(folder, "text.encoder")
    library = transformers.AutoTokenizer.from_pretrained(folder)
    for text, ids in zip(QUESTIONS, tokenizer.encode(QUESTIONS), strict=True):
        whole = [*model.prefix, *(one - 4 for one in ids), *model.suffix]
        assert whole == library.encode(text)


def test_every_answer_comes_back_as_it_was(folder):
    _, tokenizer = read_language_model(folder, "text.decoder")
    assert [tokenizer.decode(ids) for ids in tokenizer.encode(ANSWERS)] == list(ANSWERS)


def test_its_tokenizer_survives_a_checkpoint(folder):
    _, tokenizer = read_language_model(folder, "text.decoder")
    again = Tokenizers.from_json(Tokenizers(tokenizer, tokenizer).to_json()).answer
    texts = [*ANSWERS, "a word that no one knows", "</s> [SEP] <|end|>"]
    assert again.encode(texts) == tokenizer.encode(texts)
    assert again.size == tokenizer.size


def test_the_name_of_a_special_token_in_a_text_is_text(folder):
    model, tokenizer = read_language_model(folder, "text.encoder")
    (ids,) = tokenizer.encode(["</s> [SEP] <|end|> <s>"])
    special = {one + 4 for one in model.specials}
    assert not special & set(ids)
    if model.unknown is not None:
        assert UNK in ids


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    folder = write_language_model("bart", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 2}))
    with pytest.raises(ConfigError, match="tokenizer of another model"):
        read_language_model(folder, "text.encoder")


@dataclass
class Table:
    questions: list
    targets: list


def test_what_is_not_named_is_trained(tmp_path):
    table = Table(list(QUESTIONS), list(ANSWERS))
    neither = read_text_parts(Text(), table)
    assert neither.question_model is neither.answer_model is None
    assert neither.tokenizers.question.kind == neither.tokenizers.answer.kind == "word"
    named = read_text_parts(Text(encoder=write_language_model("bert", tmp_path)), table)
    assert named.question_model.shape["model_type"] == "bert"
    assert named.answer_model is None
    assert (named.tokenizers.question.kind, named.tokenizers.answer.kind) == ("pretrained", "word")
