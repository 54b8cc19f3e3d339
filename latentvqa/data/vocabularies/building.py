"""Build a vocabulary from training texts, whole words or byte-level pairs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from latentvqa.errors import DataError

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL_NAMES = ["<pad> ", "<bos> ", "<eos> ", "<unk> "]
# between white space as Unicode has it, where no rule of the word level reaches over;
# Python alone takes four separators of ASCII for white space too
CHUNK = re.compile(r"[\S\x1c-\x1f]+")


def built_tokenizer(
    texts: Sequence[str],
    *,
    kind: str,
    vocab_size: int,
    min_count: int,
    lowercase: bool,
    split_punctuation: bool,
) -> Tokenizer:
    """Build vocabulary and rules, the same for the same texts in any order.

    Args:
        texts: training texts, repeated as often as they occur.
        kind: ``word`` for whole words, else byte-level pairs without unknown text.
        vocab_size: most ids, the four reserved ones included; a byte-level
            vocabulary never has fewer than the 256 bytes.
        min_count: least occurrences of a word or a merged pair.
        lowercase: whether case is dropped.
        split_punctuation: whether punctuation marks are words of their own
            (word level only).

    Raises:
        DataError: if no text is given or the vocabulary has no room.
    """
    if not texts:
        raise DataError("no texts to train a tokenizer on")
    if vocab_size <= len(SPECIAL_NAMES):
        raise DataError(
            f"vocabulary size {vocab_size}: the reserved ids alone take {len(SPECIAL_NAMES)}"
        )
    trained = Tokenizer(_empty_model(kind))
    _set_rules(trained, kind, lowercase, split_punctuation)
    if kind == "word":
        trained.model = _word_level(trained, texts, vocab_size, min_count)
    else:
        trained.train_from_iterator(texts, _bpe_trainer(vocab_size, min_count))
    if trained.get_vocab_size() == len(SPECIAL_NAMES):
        raise DataError(f"no word occurs {min_count} times; lower the least count of a word")
    # a tokenizer made afresh does not look for the names of reserved ids in a text
    tokenizer = Tokenizer(trained.model)
    _set_rules(tokenizer, kind, lowercase, split_punctuation)
    return tokenizer


def _empty_model(kind: str) -> Any:
    if kind == "word":
        return models.WordLevel({}, unk_token=SPECIAL_NAMES[UNK])
    return models.BPE()


def _set_rules(tokenizer: Tokenizer, kind: str, lowercase: bool, split_punctuation: bool) -> None:
    steps: list[Any] = [normalizers.NFC()]
    if lowercase:
        steps.append(normalizers.Lowercase())
    tokenizer.normalizer = normalizers.Sequence(steps)
    if kind == "bpe":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        return
    words: list[Any] = [pre_tokenizers.WhitespaceSplit()]
    if split_punctuation:
        words.append(pre_tokenizers.Punctuation())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(words)


def _word_level(
    rules: Tokenizer, texts: Sequence[str], vocab_size: int, min_count: int
) -> models.WordLevel:
    """The most frequent words, as the library's trainer ranks them; each is cut once."""
    chunks = Counter(chain.from_iterable(map(CHUNK.findall, texts)))
    counts: Counter[str] = Counter()
    for chunk, times in chunks.items():
        normal = rules.normalizer.normalize_str(chunk)
        for word, _ in rules.pre_tokenizer.pre_tokenize_str(normal):
            counts[word] += times
    ranked = sorted(
        (word for word, times in counts.items() if times >= min_count),
        key=lambda word: (-counts[word], word),
    )
    names = [*SPECIAL_NAMES, *ranked][:vocab_size]  # a word has no space, a special name one
    vocabulary = {name: place for place, name in enumerate(names)}
    return models.WordLevel(vocabulary, unk_token=SPECIAL_NAMES[UNK])


def _bpe_trainer(vocab_size: int, min_count: int) -> trainers.BpeTrainer:
    return trainers.BpeTrainer(
        vocab_size=max(vocab_size, len(SPECIAL_NAMES) + 256),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=min_count,
        special_tokens=SPECIAL_NAMES,
        show_progress=False,
    )
