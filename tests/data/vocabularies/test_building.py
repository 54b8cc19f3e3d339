from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from latentvqa.data.vocabularies.building import SPECIAL_NAMES, UNK, built_tokenizer
from latentvqa.errors import DataError

TEXTS = ["Con mèo màu gì?", "con mèo"]
RULES = {"vocab_size": 300, "min_count": 1, "lowercase": True, "split_punctuation": True}


def built(texts: list[str], kind: str = "word", **changes: object) -> Tokenizer:
    return built_tokenizer(texts, kind=kind, **(RULES | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["word", "bpe"])
def test_reserved_names_come_first_in_every_vocabulary(kind: str) -> None:
    tokenizer = built(TEXTS, kind)
    assert [tokenizer.id_to_token(place) for place in range(4)] == SPECIAL_NAMES
    assert SPECIAL_NAMES[UNK] == "<unk> "


def test_words_are_numbered_by_count_and_bytes_know_every_text() -> None:
    words, pairs = built(TEXTS), built(TEXTS, "bpe")
    assert words.encode("CON mèo").ids == [4, 5]
    assert words.encode("chó").ids == [UNK]
    assert pairs.decode(pairs.encode("chó").ids) == "chó"
    assert pairs.get_vocab_size() > 4 + 256  # some were merged


@pytest.mark.parametrize(
    ("texts", "changes", "said"),
    [
        ([], {}, "no texts"),
        (TEXTS, {"vocab_size": 4}, "the reserved ids alone take 4"),
        (TEXTS, {"min_count": 3}, "no word occurs 3 times"),
    ],
)
def test_a_vocabulary_without_room_or_words_is_refused(
    texts: list[str], changes: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        built(texts, **changes)
