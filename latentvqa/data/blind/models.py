"""The image-blind models of a training table, scored on the rows of another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentvqa.data.blind.counts import (
    Floats,
    GroupCounts,
    TokenCounts,
    count_tokens,
    fit_groups,
)
from latentvqa.data.blind.rows import AnswerKey, BlindRows, most_frequent
from latentvqa.data.blind.words import MOST_ROWS, WordModel, fit_words

PRIOR = "answers"  # how often answers occur, and nothing else
TYPE, TEXT, WORDS = "type", "question_text", "question_words"
_SHARES = np.array([0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
_BLOCK = 4_096  # rows whose logits are held at once
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class BlindModels:
    """Everything that was fitted on the training rows.

    Attributes:
        tokens: the last resort of every probability.
        groups: counts by level: ``answers`` (one group), ``type`` (where the
            table has types) and ``question_text``, the latter two over the first.
        guesses: the normalised answer to give, by level and group.
        texts: normalised text of every training answer, by its token ids.
        words: the model that reads words; None where the rows were too few.
        text_share: weight of ``question_text`` beside the words.
    """

    tokens: TokenCounts
    groups: Mapping[str, GroupCounts]
    guesses: Mapping[str, Mapping[str, str]]
    texts: Mapping[AnswerKey, str]
    words: WordModel | None
    text_share: float

    @property
    def names(self) -> list[str]:
        """The models, the answer prior first."""
        return [*self.groups, *([] if self.words is None else [WORDS])]

    def prior_nats(self, rows: BlindRows) -> Floats:
        """What each row's target costs under the answer prior alone, shape ``(rows,)``."""
        parent = np.exp(-self.tokens.nats(rows.keys))
        found: Floats = -np.log(
            self.groups[PRIOR].probabilities(_groups(PRIOR, rows), rows.keys, parent)
        )
        return found

    def nats(self, rows: BlindRows) -> dict[str, Floats]:
        """What each row's target costs under each model, in nats, shape ``(rows,)`` each."""
        parent = np.exp(-self.tokens.nats(rows.keys))
        found: dict[str, Floats] = {}
        for name, counts in self.groups.items():
            if name == TYPE and rows.types is None:
                continue
            above = parent if name == PRIOR else found[PRIOR]
            found[name] = counts.probabilities(_groups(name, rows), rows.keys, above)
        if self.words is not None:
            softmax = self._softmax_of_targets(rows)
            found[WORDS] = (1.0 - self.text_share) * softmax + self.text_share * found[TEXT]
        return {name: -np.log(probabilities) for name, probabilities in found.items()}

    def answers(self, rows: BlindRows) -> dict[str, list[str]]:
        """The normalised answer that each model gives to each row."""
        common = self.guesses[PRIOR][""]
        given = {
            name: [held.get(str(group), common) for group in _groups(name, rows)]
            for name, held in self.guesses.items()
            if name != TYPE or rows.types is not None
        }
        if self.words is not None:
            given[WORDS] = self._answers_by_words(rows)
        return given

    def matches(self, rows: BlindRows) -> dict[str, NDArray[np.bool_]]:
        """Whether each model's answer is among each row's references, shape ``(rows,)``."""
        return {
            name: np.array([a in held for a, held in zip(given, rows.references, strict=True)])
            for name, given in self.answers(rows).items()
        }

    def _softmax_of_targets(self, rows: BlindRows) -> Floats:
        words = self.words
        assert words is not None, "only asked where there is a model of words"
        place = {key: i for i, key in enumerate(words.classes)}
        columns = np.array([place.get(key, -1) for key in rows.keys])
        found = np.zeros(len(rows))
        for start, chunk in self._blocks(rows):
            wanted = columns[start : start + len(chunk)]
            known = np.flatnonzero(wanted >= 0)
            found[start + known] = chunk[known, wanted[known]]
        return found

    def _answers_by_words(self, rows: BlindRows) -> list[str]:
        """The likeliest training answer, its spellings taken together."""
        words = self.words
        assert words is not None, "only asked where there is a model of words"
        texts = list(dict.fromkeys(self.texts[key] for key in words.classes))
        place = {text: i for i, text in enumerate(texts)}
        columns = np.array([place[self.texts[key]] for key in words.classes])
        by_column = np.argsort(columns, kind="stable")
        firsts = np.searchsorted(columns[by_column], np.arange(len(texts)))
        prior = self.groups[PRIOR].probabilities(
            [""] * len(words.classes), words.classes, np.exp(-self.tokens.nats(words.classes))
        )
        by_text: dict[str, dict[int, int]] = {}
        classes = {key: i for i, key in enumerate(words.classes)}
        for (group, key), count in self.groups[TEXT].counts.items():
            if key in classes:
                by_text.setdefault(str(group), {})[classes[key]] = count
        counts, strength = self.groups[TEXT], self.groups[TEXT].strength
        given: list[str] = []
        for start, chunk in self._blocks(rows):
            block = rows.texts[start : start + len(chunk)]
            mixed = (1.0 - self.text_share) * chunk
            for row, text in enumerate(block):
                total = counts.totals.get(text, 0) + strength
                mixed[row] += self.text_share * strength / total * prior
                for column, count in by_text.get(text, {}).items():
                    mixed[row, column] += self.text_share * count / total
            summed = np.add.reduceat(mixed[:, by_column], firsts, axis=1)
            given += [texts[column] for column in summed.argmax(1)]
        return given

    def _blocks(self, rows: BlindRows) -> Iterator[tuple[int, Floats]]:
        """First row and class probabilities ``(n, classes)`` of one block after the other."""
        words = self.words
        assert words is not None, "only asked where there is a model of words"
        for start in range(0, len(rows), _BLOCK):
            texts = rows.texts[start : start + _BLOCK]
            yield start, words.log_probabilities(texts).double().exp().numpy()


def fit_blind_models(
    rows: BlindRows,
    vocabulary: int,
    seed: int = 0,
    *,
    most_word_rows: int = MOST_ROWS,
) -> BlindModels:
    """Fit every image-blind model on training rows.

    Args:
        rows: the training rows; at least one.
        vocabulary: ids of the answer tokenizer.
        seed: of the model that reads words.
        most_word_rows: rows that it is fitted to at most; 0 leaves it out.
    """
    tokens = count_tokens(rows.keys, vocabulary)
    above = np.exp(-tokens.nats(rows.keys))
    groups: dict[str, GroupCounts] = {}
    groups[PRIOR], prior = fit_groups(_groups(PRIOR, rows), rows.keys, rows.images, above)
    for name in (TYPE, TEXT):
        if name == TEXT or rows.types is not None:
            groups[name], _ = fit_groups(_groups(name, rows), rows.keys, rows.images, prior)
    guesses = {
        name: {
            str(group): text
            for group, text in most_frequent(
                zip(_groups(name, rows), rows.references, strict=True)
            ).items()
        }
        for name in groups
    }
    texts: dict[AnswerKey, str] = {}
    for key, references in zip(rows.keys, rows.references, strict=True):
        texts.setdefault(key, references[0] if references else "")
    models = BlindModels(tokens, groups, guesses, texts, None, 1.0)
    fitted = None
    if most_word_rows:
        fitted = fit_words(rows.texts, rows.keys, rows.images, seed, most_word_rows)
    if fitted is None:
        return models
    words, held, part = fitted
    share = _text_share(rows, held, part, vocabulary)
    return BlindModels(tokens, groups, guesses, texts, words, share)


def left_out_matches(
    rows: BlindRows,
    vocabulary: int,
    seed: int = 0,
    *,
    most_word_rows: int = MOST_ROWS,
    enough: int | None = None,
) -> dict[str, NDArray[np.bool_]]:
    """Exact match of each model on rows of images that it was not fitted on.

    One model is fitted for each of five parts of the images, on the other four.

    Args:
        rows: the table.
        vocabulary: ids of the answer tokenizer.
        seed: of the parts and of the model that reads words.
        most_word_rows: rows that the latter is fitted to at most; 0 leaves it out.
        enough: no further part is scored once so many rows are; None scores all.

    Returns:
        By model, whether each scored row is answered, shape ``(scored rows,)``;
        empty for a table with a single image.
    """
    names, image = np.unique(rows.images, return_inverse=True)
    folds = min(_FOLDS, len(names))
    if folds < 2:
        return {}
    fold = (np.random.default_rng(seed).permutation(len(names)) % folds)[image]
    is_scored = np.zeros(len(rows), dtype=bool)
    found: dict[str, NDArray[np.bool_]] = {}
    for part in range(folds):
        inside, outside = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
        models = fit_blind_models(
            rows.select(outside), vocabulary, seed, most_word_rows=most_word_rows
        )
        for name, right in models.matches(rows.select(inside)).items():
            found.setdefault(name, np.zeros(len(rows), dtype=bool))[inside] = right
        is_scored[inside] = True
        if enough is not None and is_scored.sum() >= enough:
            break
    return {name: right[is_scored] for name, right in found.items()}


def _text_share(
    rows: BlindRows, held: NDArray[np.int64], part: WordModel, vocabulary: int
) -> float:
    """The weight of the question text that serves the held-out rows best."""
    is_held = np.zeros(len(rows), dtype=bool)
    is_held[held] = True
    counted = fit_blind_models(rows.select(np.flatnonzero(~is_held)), vocabulary, most_word_rows=0)
    test = rows.select(held)
    text = np.exp(-counted.nats(test)[TEXT])
    trial = BlindModels(counted.tokens, counted.groups, counted.guesses, counted.texts, part, 0.0)
    softmax = trial._softmax_of_targets(test)
    scores = [float(np.log((1.0 - s) * softmax + s * text).sum()) for s in _SHARES]
    return float(_SHARES[int(np.argmax(scores))])


def _groups(name: str, rows: BlindRows) -> list[str]:
    if name == PRIOR:
        return [""] * len(rows)
    return list(rows.types or []) if name == TYPE else rows.texts
