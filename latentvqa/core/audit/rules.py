"""What of an audit of question tables is worth a warning.

Values in, findings out; measuring is the job of :mod:`latentvqa.data.audit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from latentvqa.core.audit.facts import ImageFacts, PairFacts, Rows, TableFacts
from latentvqa.core.figures import counted
from latentvqa.core.rules.rule import Level

CONFLICTS = 0.01  # share of rows whose question has another answer elsewhere
UNSEEN = 0.05  # share of rows that no answer seen in training can be right for
TOP_ANSWER = 0.9  # share of the most frequent answer of a type
TOP_ANSWER_ROWS = 50  # rows from which on a type's shares are judged
BLIND = 0.9  # exact match of a prior that never sees an image
TRUNCATED = 0.01  # share of rows that are cut
_SHOWN_ROWS = 3
_SPLIT = (
    "Training keeps them on one side where it holds images out itself; see that a split of your "
    "own does."
)
_CONSTANTS = {
    "answers": "One answer to everything",
    "type": "One answer per question type",
    "question_text": "One answer per question text",
    "question_words": "A model of the question's words",
}
UNKNOWN_WORDS = 0.05  # share of the question words that training never saw


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
    observed: int | float
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
        if pair.leaked_paths.share > 0.0:
            found.append(
                AuditFinding(
                    "DA001",
                    "warning",
                    f"{_rows_of(pair.leaked_paths, pair.other)} are about images that {pair.train} "
                    "names as well.",
                    "Split by image, or the score flatters the model.",
                    pair.leaked_paths.share,
                )
            )
        if pair.copied_contents is not None and pair.copied_contents.share > 0.0:
            found.append(
                AuditFinding(
                    "DA002",
                    "warning",
                    f"{_rows_of(pair.copied_contents, pair.other)} are about images that are pixel "
                    f"for pixel in {pair.train} under another name.",
                    "Remove the copies from one side.",
                    pair.copied_contents.share,
                )
            )
        if pair.near_copies is not None and pair.near_copies.share > 0.0:
            found.append(
                AuditFinding(
                    "DA014",
                    "warning",
                    f"{_rows_of(pair.near_copies, pair.other)} are about re-encoded, resized or "
                    f"cropped copies of images in {pair.train}.",
                    "Look at the pairs that are listed, and remove the copies from one side.",
                    pair.near_copies.share,
                )
            )
        unseen = pair.unseen_answers
        if unseen is not None and unseen.share > 0.0:
            found.append(
                AuditFinding(
                    "DA005",
                    "warning" if unseen.share >= UNSEEN else "info",
                    f"{_rows_of(unseen, pair.other)} have only answers that {pair.train} never "
                    f"gives: exact match cannot exceed {_percent(1.0 - unseen.share)} by repeating "
                    "answers.",
                    "Add such answers to the training table, or compare scores with that ceiling.",
                    unseen.share,
                    UNSEEN,
                )
            )
    return found


def judge_images(images: ImageFacts) -> list[AuditFinding]:
    """Findings on the files."""
    bad, found = images.missing + images.corrupt, []
    if bad:
        found.append(
            AuditFinding(
                "DA010",
                "critical",
                f"{bad:,} of {counted(images.images, 'image')} cannot be used: "
                f"{images.missing:,} missing, {images.corrupt:,} not to be decoded.",
                'Mend them, or train with data.on_bad_image = "skip".',
                bad,
            )
        )
    for name, copies in images.copies.items():
        if copies.share > 0.0:
            found.append(
                AuditFinding(
                    "DA012",
                    "info",
                    f"{_rows_of(copies, name)} are about images that are pixel for pixel an "
                    "earlier one of it under another name.",
                    _SPLIT,
                    copies.share,
                )
            )
    for name, copies in images.near_copies.items():
        if copies.share > 0.0:
            found.append(
                AuditFinding(
                    "DA015",
                    "info",
                    f"{_rows_of(copies, name)} are about re-encoded, resized or cropped copies of "
                    "an earlier image of it.",
                    _SPLIT,
                    copies.share,
                )
            )
    for folder in images.folders:
        for rows, what in (
            (folder.copied_contents, "are about images that are pixel for pixel in"),
            (folder.near_copies, "are about re-encoded, resized or cropped copies of images in"),
        ):
            if rows.share > 0.0:
                found.append(
                    AuditFinding(
                        "DA016",
                        "warning",
                        f"{_rows_of(rows, folder.table)} {what} {folder.folder}.",
                        "A score on them says little of a model that was trained on that folder.",
                        rows.share,
                    )
                )
    return found


def _repeats(table: TableFacts) -> list[AuditFinding]:
    found = []
    if table.conflicts.share > 0.0:
        found.append(
            AuditFinding(
                "DA003",
                "warning" if table.conflicts.share >= CONFLICTS else "info",
                f"{_rows_of(table.conflicts, table.name)} ask a question about an image that "
                "another row answers differently.",
                "Put several people's answers into one row as references (column answers), or "
                "mend them.",
                table.conflicts.share,
                CONFLICTS,
            )
        )
    if table.duplicates.share > 0.0:
        found.append(
            AuditFinding(
                "DA004",
                "info",
                f"{_rows_of(table.duplicates, table.name)} repeat an earlier row.",
                "They count twice in training and in the score; remove them.",
                table.duplicates.share,
            )
        )
    return found


def _answers(table: TableFacts) -> list[AuditFinding]:
    if not table.answers:
        return [
            AuditFinding(
                "DA013",
                "info",
                f"{table.name} has no answers: only its questions and images were looked at.",
                "Name their column, if there is one: --set 'data.columns={answer = \"...\"}'.",
                table.rows,
            )
        ]
    found = []
    for kind, top in table.top_answers.items():
        if top.share >= TOP_ANSWER and top.rows >= TOP_ANSWER_ROWS:
            found.append(
                AuditFinding(
                    "DA006",
                    "warning",
                    f"{_percent(top.share)} of the {top.rows:,} rows of type {kind!r} in "
                    f"{table.name} have the answer {top.answer!r}.",
                    "A constant scores as much there; judge this type against its prior.",
                    top.share,
                    TOP_ANSWER,
                )
            )
    name, best = max(table.priors.items(), key=lambda item: item[1], default=("", 0.0))
    if best >= BLIND:
        found.append(
            AuditFinding(
                "DA007",
                "warning",
                f"{_CONSTANTS[name]} is right on {_percent(best)} of {table.name} without any "
                "image.",
                "Little is left that an image could decide; balance the answers of each question.",
                best,
                BLIND,
            )
        )
    return found


def _texts(table: TableFacts) -> list[AuditFinding]:
    found = []
    for code, cut, what, key in (
        ("DA008", table.truncated_questions, "questions", "text.max_question_tokens"),
        ("DA009", table.truncated_answers, "answers", "text.max_answer_tokens"),
    ):
        if cut.share > 0.0:
            found.append(
                AuditFinding(
                    code,
                    "warning" if cut.share >= TRUNCATED else "info",
                    f"{_rows_of(cut, table.name)} have {what} longer than {key}.",
                    f"Raise {key}; a cut answer can never be given right."
                    if code == "DA009"
                    else f"Raise {key}.",
                    cut.share,
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


def _rows_of(rows: Rows, name: str) -> str:
    """Share and place of rows, as the subject of a sentence."""
    shown = ", ".join(map(str, rows.first[:_SHOWN_ROWS]))
    more = ", ..." if len(rows.first) > _SHOWN_ROWS else ""
    word = "row" if len(rows.first) == 1 else "rows"
    return f"{_percent(rows.share)} of the rows of {name} ({word} {shown}{more})"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
