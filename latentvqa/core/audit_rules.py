"""What of an audit of question tables is worth a warning.

Values in, findings out; measuring is the job of :mod:`latentvqa.data.audit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from latentvqa.core.findings import Level

CONFLICTS = 0.01  # share of rows whose question has another answer elsewhere
UNSEEN = 0.05  # share of rows that no answer seen in training can be right for
TOP_ANSWER = 0.9  # share of the most frequent answer of a type
TOP_ANSWER_ROWS = 50  # rows from which on a type's shares are judged
BLIND = 0.9  # exact match of a prior that never sees an image
TRUNCATED = 0.01  # share of rows that are cut
UNKNOWN_WORDS = 0.05  # share of the question words that training never saw


@dataclass(frozen=True)
class TableFacts:
    """What was measured of one table; shares are fractions of its rows.

    Attributes:
        name: path as given.
        rows: questions.
        images: distinct images.
        answers: distinct normalised answers.
        duplicates: rows that repeat image, question and answers of an earlier one.
        conflicts: rows whose image and question another row answers without any
            answer in common.
        top_answers: by type (one named ``all`` without types) rows, most
            frequent answer and its share.
        priors: exact match of each image-blind prior.
        truncated_questions: share cut at ``text.max_question_tokens``.
        truncated_answers: share cut at ``text.max_answer_tokens``.
        unknown_words: share of question words outside the training vocabulary.
    """

    name: str
    rows: int
    images: int
    answers: int
    duplicates: float
    conflicts: float
    top_answers: Mapping[str, tuple[int, str, float]]
    priors: Mapping[str, float]
    truncated_questions: float
    truncated_answers: float
    unknown_words: float


@dataclass(frozen=True)
class PairFacts:
    """A later table against the first one, which is trained on.

    Attributes:
        train: name of the first table.
        other: name of the later one.
        leaked_paths: share of the later rows whose image is also trained on.
        leaked_contents: share whose image has the bytes of one trained on, the
            former included; None where the images were not read.
        upper_bound: share of rows with a reference that was trained on.
    """

    train: str
    other: str
    leaked_paths: float
    leaked_contents: float | None
    upper_bound: float


@dataclass(frozen=True)
class ImageFacts:
    """What was measured of the image files.

    Attributes:
        images: files that the tables name.
        missing: of them not there.
        corrupt: of them not to be decoded.
        first_faults: path and reason of the first ten.
        modes: colour modes, by count.
        widths: least, median and largest width in pixels.
        heights: the same of the height.
    """

    images: int
    missing: int
    corrupt: int
    first_faults: Sequence[tuple[str, str]]
    modes: Mapping[str, int]
    widths: tuple[int, int, int]
    heights: tuple[int, int, int]


@dataclass(frozen=True)
class AuditFinding:
    """One thing to know before training.

    Attributes:
        code: stable short code.
        level: severity.
        sentence: what was seen and where, with its numbers.
        advice: what to do.
        observed: the measured share or count.
        limit: what it was compared with.
    """

    code: str
    level: Level
    sentence: str
    advice: str
    observed: float
    limit: float = field(default=0.0)


def judge_tables(tables: Sequence[TableFacts]) -> list[AuditFinding]:
    """Findings on each table for itself."""
    found = []
    for table in tables:
        found += _repeats(table)
        found += _answers(table)
        found += _texts(table)
    return found


def judge_pairs(pairs: Sequence[PairFacts]) -> list[AuditFinding]:
    """Findings on later tables against the one that is trained on."""
    found = []
    for pair in pairs:
        if pair.leaked_paths > 0.0:
            found.append(
                AuditFinding(
                    "DA001",
                    "warning",
                    f"{_percent(pair.leaked_paths)} of the rows of {pair.other} are about images "
                    f"that {pair.train} names as well.",
                    "Split by image, or the score flatters the model.",
                    pair.leaked_paths,
                )
            )
        copied = (pair.leaked_contents or 0.0) - pair.leaked_paths
        if copied > 0.0:
            found.append(
                AuditFinding(
                    "DA002",
                    "warning",
                    f"{_percent(copied)} of the rows of {pair.other} are about images that are "
                    f"byte for byte in {pair.train} under another name.",
                    "Remove the copies from one side.",
                    copied,
                )
            )
        unseen = 1.0 - pair.upper_bound
        if unseen > 0.0:
            found.append(
                AuditFinding(
                    "DA005",
                    "warning" if unseen >= UNSEEN else "info",
                    f"{_percent(unseen)} of the rows of {pair.other} have only answers that "
                    f"{pair.train} never gives: exact match cannot exceed "
                    f"{_percent(pair.upper_bound)} by repeating answers.",
                    "Add such answers to the training table, or compare scores with that ceiling.",
                    unseen,
                    UNSEEN,
                )
            )
    return found


def judge_images(images: ImageFacts) -> list[AuditFinding]:
    """Findings on the files."""
    bad = images.missing + images.corrupt
    if not bad:
        return []
    return [
        AuditFinding(
            "DA010",
            "critical",
            f"{bad:,} of {images.images:,} images cannot be used: {images.missing:,} missing, "
            f"{images.corrupt:,} not to be decoded.",
            'Mend them, or train with data.on_bad_image = "skip".',
            bad,
        )
    ]


def _repeats(table: TableFacts) -> list[AuditFinding]:
    found = []
    if table.conflicts > 0.0:
        found.append(
            AuditFinding(
                "DA003",
                "warning" if table.conflicts >= CONFLICTS else "info",
                f"{_percent(table.conflicts)} of the rows of {table.name} ask a question about an "
                "image that another row answers differently.",
                "Put several people's answers into one row as references (column answers), or "
                "mend them.",
                table.conflicts,
                CONFLICTS,
            )
        )
    if table.duplicates > 0.0:
        found.append(
            AuditFinding(
                "DA004",
                "info",
                f"{_percent(table.duplicates)} of the rows of {table.name} repeat an earlier row.",
                "They count twice in training and in the score; remove them.",
                table.duplicates,
            )
        )
    return found


def _answers(table: TableFacts) -> list[AuditFinding]:
    found = []
    for kind, (rows, answer, share) in table.top_answers.items():
        if share >= TOP_ANSWER and rows >= TOP_ANSWER_ROWS:
            found.append(
                AuditFinding(
                    "DA006",
                    "warning",
                    f"{_percent(share)} of the {rows:,} rows of type {kind!r} in {table.name} have "
                    f"the answer {answer!r}.",
                    "A constant scores as much there; judge this type against its prior.",
                    share,
                    TOP_ANSWER,
                )
            )
    name, best = max(table.priors.items(), key=lambda item: item[1])
    if best >= BLIND:
        found.append(
            AuditFinding(
                "DA007",
                "warning",
                f"A constant answer per {name.replace('_', ' ')} is right on {_percent(best)} of "
                f"{table.name} without any image.",
                "Little is left that an image could decide; balance the answers of each question.",
                best,
                BLIND,
            )
        )
    return found


def _texts(table: TableFacts) -> list[AuditFinding]:
    found = []
    for code, share, what, key in (
        ("DA008", table.truncated_questions, "questions", "text.max_question_tokens"),
        ("DA009", table.truncated_answers, "answers", "text.max_answer_tokens"),
    ):
        if share > 0.0:
            found.append(
                AuditFinding(
                    code,
                    "warning" if share >= TRUNCATED else "info",
                    f"{_percent(share)} of the {what} of {table.name} are longer than {key}.",
                    f"Raise {key}; a cut answer can never be given right."
                    if code == "DA009"
                    else f"Raise {key}.",
                    share,
                    TRUNCATED,
                )
            )
    if table.unknown_words >= UNKNOWN_WORDS:
        found.append(
            AuditFinding(
                "DA011",
                "warning",
                f"{_percent(table.unknown_words)} of the question words of {table.name} are not in "
                "the training vocabulary.",
                'Set text.tokenizer = "bpe", which knows no unknown words.',
                table.unknown_words,
                UNKNOWN_WORDS,
            )
        )
    return found


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
