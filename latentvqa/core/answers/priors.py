"""What a model that never sees the image could score on a table.

The priors are read from the very table that they are scored on, so they are
the best that a constant, a constant per question type or a constant per
question text can reach there: a floor for the model, not a baseline model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from operator import contains

from latentvqa.core.answers.matching import normalise_answer, normalised_references


def blind_priors(
    questions: Sequence[str],
    types: Sequence[str] | None,
    answers: Sequence[Sequence[str]],
    images: Sequence[Hashable],
) -> dict[str, float]:
    """Return the exact match of each image-blind prior, as fractions.

    Args:
        questions: question of each row.
        types: question type of each row, or none.
        answers: references of each row.
        images: what identifies the image of each row.

    Returns:
        ``global``, ``type`` (only with types) and ``question_text``. Empty for
        a table without rows.
    """
    references = normalised_references(answers)
    priors = _prior_answers(questions, types, references, images)
    if not answers:
        return {}
    return {
        name: sum(map(contains, references, given)) / len(answers) for name, given in priors.items()
    }


def blind_prior_answers(
    questions: Sequence[str],
    types: Sequence[str] | None,
    answers: Sequence[Sequence[str]],
    images: Sequence[Hashable],
) -> dict[str, list[str]]:
    """Return the normalised answer that each prior gives to each row.

    The answer of a group of rows is the one found in the references of most of
    them, the first such in a tie. A question text that stands with a single
    image would repeat that image's answer, so it takes the prior of its type,
    or the global one without types.

    Raises:
        ValueError: if the columns differ in length.
    """
    return _prior_answers(questions, types, normalised_references(answers), images)


def _prior_answers(
    questions: Sequence[str],
    types: Sequence[str] | None,
    references: Sequence[tuple[str, ...]],
    images: Sequence[Hashable],
) -> dict[str, list[str]]:
    counts = {len(questions), len(references), len(images)} | ({len(types)} if types else set())
    if len(counts) > 1:
        raise ValueError("questions, types, answers and images differ in length")
    everything = _most_frequent_by_group((None, row) for row in references)
    priors = {"global": [everything[None] for _ in references]}
    if types:
        by_type = _most_frequent_by_group(zip(types, references, strict=True))
        priors["type"] = [by_type[kind] for kind in types]
    texts = [normalise_answer(question) for question in questions]
    shared = _texts_with_several_images(texts, images)
    pairs = zip(texts, references, strict=True)
    by_text = _most_frequent_by_group(pair for pair in pairs if pair[0] in shared)
    fallback = priors.get("type", priors["global"])
    priors["question_text"] = [
        by_text.get(text, coarse) for text, coarse in zip(texts, fallback, strict=True)
    ]
    return priors


def _most_frequent_by_group(
    rows: Iterable[tuple[Hashable, tuple[str, ...]]],
) -> dict[Hashable, str]:
    counts: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
    for group, row in rows:
        counts[group].update(row)
    # most_common keeps the order of first appearance among equals
    return {group: count.most_common(1)[0][0] if count else "" for group, count in counts.items()}


def _texts_with_several_images(texts: Sequence[str], images: Sequence[Hashable]) -> set[str]:
    first_image: dict[str, Hashable] = {}
    return {
        text
        for text, image in zip(texts, images, strict=True)
        if first_image.setdefault(text, image) != image
    }
