"""Tables of question and answer texts as blind models see them."""

import random

import numpy as np

from latentvqa.data.blind.rows import BlindRows, question_key

EOS = 2
FIRST = 4  # ids below it are reserved


def made_rows(questions, answers, images=None, types=None):
    """Rows whose answers are single tokens, numbered from ``FIRST``."""
    images = range(len(questions)) if images is None else images
    return BlindRows(
        texts=[question_key(text) for text in questions],
        types=types,
        keys=[(FIRST + answer, EOS) for answer in answers],
        references=[(str(answer),) for answer in answers],
        images=np.array(list(images), dtype=np.int64),
    )


def random_answers(rows, answers, seed):
    """Every text with two images, and answers that nothing tells."""
    rng = random.Random(seed)
    texts = [f"question {row // 2} of {seed}" for row in range(rows)]
    return made_rows(texts, [rng.randrange(answers) for _ in range(rows)])


def filler_texts(rows, answers, seed):
    """Every text once, the answer told by one word of it."""
    rng = random.Random(seed)
    given = [rng.randrange(answers) for _ in range(rows)]
    texts = [
        f"f{rng.randrange(10**9)} is it w{answer} or f{rng.randrange(10**9)}" for answer in given
    ]
    return made_rows(texts, given)
