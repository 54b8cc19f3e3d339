from __future__ import annotations

import json
import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from latentvqa.data.tokenizer import (
    BOS,
    EOS,
    PAD,
    UNK,
    Kind,
    TextTokenizer,
    Tokenizers,
)
from latentvqa.errors import DataError

TEXTS = [
    "What color is it?",
    "What shape is it?",
    "is it red",
    "caf\u00e9 \u4f60\u597d",
    "it's red",
]


def trained(
    texts: list[str] | None = None, kind: Kind = "word", **changes: object
) -> TextTokenizer:
    options: dict[str, object] = {
        "vocab_size": 1000,
        "min_count": 1,
        "lowercase": True,
        "split_punctuation": True,
    }
    return TextTokenizer.train(
        TEXTS if texts is None else texts,
        kind=kind,
        **(options | changes),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_the_order_of_the_texts_does_not_change_the_vocabulary(kind: Kind) -> None:
    texts = [f"word{i % 37} thing{i % 11} é{i % 5}" for i in range(400)]
    shuffled = random.Random(0).sample(texts, len(texts))
    first, second = (trained(t, kind, vocab_size=300).to_json() for t in (texts, shuffled))
    assert first == second


def test_words_are_numbered_by_count_and_then_by_text() -> None:
    tokenizer = trained(["b a", "b c", "b a d"])
    assert tokenizer.encode(["b a c d"]) == [[4, 5, 6, 7]]
    assert tokenizer.size == 8


def test_unknown_words_are_marked_and_shown() -> None:
    tokenizer = trained(["red red", "blue"], min_count=2)
    assert tokenizer.encode(["red blue"]) == [[4, UNK]]
    assert tokenizer.decode([4, UNK]) == "red <unk>"
    assert trained(["a a b"], vocab_size=5).size == 5


def test_punctuation_is_split_where_asked() -> None:
    assert trained().token_count("what, is it?") == 5
    assert trained(split_punctuation=False).token_count("what, is it?") == 3


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_names_of_reserved_ids_in_a_text_are_plain_text(kind: Kind) -> None:
    names = ["<pad>", "<eos> ", "<pad> <bos> ", "<s>"]
    tokenizer = trained([*TEXTS, *names], kind, split_punctuation=False)
    for text, ids in zip(names, tokenizer.encode(names), strict=True):
        assert min(ids) > UNK
        assert tokenizer.decode(ids).split() == text.split()


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_decoding_stops_at_the_end_and_drops_padding(kind: Kind) -> None:
    tokenizer = trained(kind=kind)
    ids = tokenizer.encode(["is red"])[0]
    assert tokenizer.decode([BOS, *ids, EOS, *ids, PAD]) == "is red"
    assert tokenizer.decode([EOS]) == tokenizer.decode([]) == ""


answer = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: text.strip()
)


@given(st.lists(answer, min_size=1, max_size=5))
def test_a_known_answer_survives_whole_words(answers: list[str]) -> None:
    texts = [unicodedata.normalize("NFC", text) for text in answers]
    tokenizer = trained(texts, split_punctuation=False, lowercase=False)
    for text, ids in zip(texts, tokenizer.encode(texts), strict=True):
        assert tokenizer.decode(ids).split() == text.split()


@given(st.text(max_size=20))
def test_any_text_survives_bytes(text: str) -> None:
    tokenizer = BYTES
    normal = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    assert tokenizer.decode(tokenizer.encode([normal])[0]) == normal


BYTES = trained(kind="bpe", vocab_size=10, lowercase=False)


def test_a_byte_vocabulary_holds_every_byte() -> None:
    assert BYTES.size == 260


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_a_pair_is_saved_and_rebuilt(kind: Kind) -> None:
    pair = Tokenizers(question=trained(kind=kind), answer=trained(["yes", "no"]))
    again = Tokenizers.from_json(pair.to_json())
    assert again.to_json() == pair.to_json()
    assert again.question.encode(TEXTS) == pair.question.encode(TEXTS)
    assert again.answer.decode(again.answer.encode(["No"])[0]) == "no"
    assert TextTokenizer.from_json(pair.answer.to_json()).size == pair.answer.size


def test_many_texts_are_encoded_in_order() -> None:
    tokenizer = trained(["a b c"])
    texts = ["a b c"[: 1 + 2 * (i % 3)] for i in range(25_000)]
    assert [len(ids) for ids in tokenizer.encode(texts)] == [1 + i % 3 for i in range(25_000)]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"question": 1, "answer": 2}', '{"kind": "word", "tokenizer": {}}'],
)
def test_what_is_no_tokenizer_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="not a tokenizer"):
        Tokenizers.from_json(text)
    with pytest.raises(DataError, match="not a tokenizer"):
        TextTokenizer.from_json(text)


def test_a_vocabulary_without_words_is_refused() -> None:
    with pytest.raises(DataError, match="no texts"):
        trained([])
    with pytest.raises(DataError, match="reserved ids"):
        trained(vocab_size=4)
    with pytest.raises(DataError, match="no word occurs 9 times"):
        trained(min_count=9)


# white space of all kinds, separators that Python alone takes for it, marks, the final sigma
SEPARATORS = (
    " \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000"
)
LETTERS = "\u202f\u205f\u3000abAB,.é\u0301<unk>Σς\u0130\u200b\ufeff!"


@settings(max_examples=300)
@given(
    st.lists(st.text(alphabet=LETTERS + SEPARATORS, max_size=12), min_size=1, max_size=12),
    st.integers(1, 3),
    st.integers(5, 12),
)
def test_words_are_those_of_the_library(texts, min_count, vocab_size):
    theirs = Tokenizer(models.WordLevel({}, unk_token="<unk>"))
    theirs.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    special = ["<pad> ", "<bos> ", "<eos> ", "<unk> "]  # no word has a space
    trainer = trainers.WordLevelTrainer(
        vocab_size=vocab_size, min_frequency=min_count, special_tokens=special, show_progress=False
    )
    texts = [*texts, *["word"] * min_count]
    theirs.train_from_iterator(texts, trainer)
    mine = TextTokenizer.train(
        texts,
        kind="word",
        vocab_size=vocab_size,
        min_count=min_count,
        lowercase=True,
        split_punctuation=True,
    )
    known = json.loads(mine.to_json())["tokenizer"]["model"]["vocab"]
    assert known == theirs.get_vocab()
    plain = Tokenizer(models.WordLevel(known, unk_token="<unk> "))
    plain.normalizer, plain.pre_tokenizer = theirs.normalizer, theirs.pre_tokenizer
    assert mine.encode(texts) == [encoding.ids for encoding in plain.encode_batch(texts)]


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_one_spelling_of_a_language_is_read_written_and_kept(kind: Kind) -> None:
    plain = trained(["một tòa nhà", "toà nhà"], kind)
    spelt = trained(["một tòa nhà", "toà nhà"], kind, language="vi")
    rebuilt = TextTokenizer.from_json(spelt.to_json())
    old, new, decomposed = "TÒA nhà", "toà nhà", unicodedata.normalize("NFD", "tòa nhà")
    for one in (spelt, rebuilt):
        first, *others = one.encode([old, new, decomposed])
        assert others == [first, first]
        assert one.token_count(old) == one.token_count(new) == len(first)
        assert one.decode(first) == new
        assert one.language == "vi"
    assert plain.encode([old]) != plain.encode([new])
    assert plain.language == ""
    assert "language" not in json.loads(plain.to_json())
    assert spelt.size <= plain.size


def test_a_language_without_a_spelling_changes_nothing() -> None:
    assert trained(language="fr").to_json() == trained().to_json()
    unknown = json.dumps({**json.loads(trained().to_json()), "language": "xx"})
    with pytest.raises(DataError, match="language 'xx'"):
        TextTokenizer.from_json(unknown)


def test_a_run_follows_the_spelling_that_its_vocabulary_was_built_with() -> None:
    plain, spelt = trained(), trained(language="vi")
    assert Tokenizers(spelt, spelt).rules_of("vi") == "vi"
    assert Tokenizers(plain, plain).rules_of("vi") == ""
    assert Tokenizers(plain, plain).rules_of("en") == "en"


def test_a_vocabulary_that_goes_on_takes_the_spelling_of_the_new_texts() -> None:
    known = trained(["tòa nhà", "đỏ"])
    whole = trained(["tòa nhà", "thủy"], language="vi").after(known, 1000)
    assert whole.decode(known.encode(["nhà đỏ"])[0]) == "nhà đỏ"
    (old,), (new,) = whole.encode(["tòa", "toà"])
    assert old == new > UNK
    assert whole.decode([old]) == "toà"
    pairs = trained(["tòa nhà"], "bpe")
    assert trained(language="vi", kind="bpe").after(pairs, 1000).encode(["tòa"]) == pairs.encode(
        ["toà"]
    )


def test_a_pretrained_vocabulary_reads_one_spelling() -> None:
    library = Tokenizer(models.WordLevel({"toà": 0, "tòa": 1, "?": 2}, unk_token="?"))
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    plain = TextTokenizer.pretrained(library)
    assert plain.encode(["tòa toà"]) == [[5, 4]]
    assert plain.spelling("vi").encode(["tòa toà"]) == [[4, 4]]
    assert plain.spelling("vi").decode([5]) == "toà"
