"""What stands in the files cuts and writes texts as the model's tokenizers do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from latentvqa.data.tokenizer import EOS, UNK, TextTokenizer, Tokenizers
from latentvqa.engine.export.vocabularies import vocabularies_of
from latentvqa.errors import CheckpointError
from tests.readme_parts import MANUAL
from tests.tiny import ANSWERS, QUESTIONS

VIETNAMESE = ("Nhà này có hoà bình không?", "thuỷ tinh màu gì?", "cái TÒA nhà")
TEXTS = (*QUESTIONS, *VIETNAMESE)


def trained(kind="word", language="", lowercase=True):
    def one(texts, split_punctuation):
        return TextTokenizer.train(
            texts,
            kind=kind,
            vocab_size=400,
            min_count=1,
            lowercase=lowercase,
            split_punctuation=split_punctuation,
            language=language,
        )

    return Tokenizers(one(TEXTS, True), one(ANSWERS, False))


def question_ids_of_the_page():
    """The function that the program of the manual has."""
    text = (MANUAL / "export.md").read_text(encoding="utf-8")
    functions = text.split("def question_ids")[1].split("\n\n\nfolder")[0]
    names = {}
    exec(f"import string, unicodedata\nimport numpy as np\ndef question_ids{functions}", names)
    return names["question_ids"]


def facts_of(tokenizers):
    found = vocabularies_of(tokenizers, "run")
    held = {name: json.loads(content) for name, content in found.files.items()}
    return {**found.question, "longest": 1000}, held["tokens.json"]


SPELT = trained(language="vi")
SPELT_FACTS = facts_of(SPELT)
ASK = question_ids_of_the_page()


LETTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Cf"])
PIECES = ("hòa", "hoà", "THỦY", "tòa", "ho\u0300a", "?", " ", "is", "İ", "ΟΣ")


@given(st.lists(LETTERS | st.sampled_from(PIECES), max_size=30).map("".join))
def test_the_page_cuts_any_question_as_the_model_does(text):
    facts, held = SPELT_FACTS
    (expected,) = SPELT.question.encode([text])
    assert ASK(text, held["question"], facts)[0].tolist() == (expected or [UNK])


@pytest.mark.parametrize("lowercase", [True, False])
def test_all_spellings_of_a_word_have_its_id(lowercase):
    tokenizers = trained(language="vi", lowercase=lowercase)
    facts, held = facts_of(tokenizers)
    assert facts["lowercase"] is lowercase
    for text in ("hòa", "hoà", "thủy", "thuỷ", "tòa" if lowercase else "TÒA"):
        (expected,) = tokenizers.question.encode([text])
        assert expected != [UNK]
        assert ASK(text, held["question"], facts)[0].tolist() == expected


def test_the_words_of_an_answer_are_those_that_the_model_writes():
    tokenizers = trained()
    _, held = facts_of(tokenizers)
    for text, ids in zip(ANSWERS, tokenizers.answer.encode(ANSWERS), strict=True):
        assert " ".join(held["answer"][one] for one in ids) == text
        assert tokenizers.answer.decode([*ids, EOS]) == text
    assert held["answer"][UNK] == tokenizers.answer.decode([UNK])
    assert len(held["answer"]) == tokenizers.answer.size


def test_byte_level_tokens_are_files_of_their_library():
    tokenizers = trained("bpe")
    found = vocabularies_of(tokenizers, "run")
    question, answer = (
        Tokenizer.from_str(found.files[facts["file"]].decode())
        for facts in (found.question, found.answer)
    )
    for text, ids in zip(TEXTS, tokenizers.question.encode(TEXTS), strict=True):
        assert question.encode(text, add_special_tokens=False).ids == ids
    for text, ids in zip(ANSWERS, tokenizers.answer.encode(ANSWERS), strict=True):
        assert answer.decode(ids) == text


def test_byte_level_tokens_of_a_language_with_several_spellings_are_refused():
    with pytest.raises(CheckpointError, match=r'^runs/a: .*text\.language = "vi"'):
        vocabularies_of(trained("bpe", "vi"), "runs/a")
