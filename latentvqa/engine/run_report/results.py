"""What evaluations left in a run folder, read for its page. Nothing here loads a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from latentvqa.core.answers.matching import normalise_answer
from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.engine.run_report.samples import read_answers
from latentvqa.engine.runs.evaluations import evaluation_folder, read_evaluation
from latentvqa.engine.runs.folder import BEST, EVALUATION_FILE, PREDICTIONS_FILE, RunFolder
from latentvqa.engine.runs.saved_checkpoints import pointed_checkpoint
from latentvqa.errors import LatentVQAError
from latentvqa.report.page.confusion import Confusion, confusion_of
from latentvqa.report.page.results import TableResult

_RESULT = TypeAdapter(EvaluationResult)
_VALIDATION = "validation split"


def table_results(run: Path, notice: Callable[[str], None]) -> list[TableResult]:
    """What was found on each table that the run was evaluated on, validation first.

    Args:
        run: the run folder.
        notice: called with what cannot be read and is left out.
    """
    root, own = RunFolder(run).evaluations, evaluation_folder(run)
    if not root.is_dir():
        return []
    folders = [path.parent for path in root.glob(f"*/{EVALUATION_FILE}")]
    results = []
    for folder in sorted(folders, key=lambda one: (one != own, one.name)):
        try:
            found = _RESULT.validate_python(read_evaluation(folder))
        except LatentVQAError as error:
            notice(f"warning: the page leaves out an evaluation: {error}")
            continue
        except (OSError, ValueError, RecursionError):  # pydantic's is a ValueError
            notice(
                f"warning: {folder / EVALUATION_FILE}: holds no evaluation, and the page leaves "
                "it out. Write it anew with latentvqa evaluate."
            )
            continue
        results.append(
            TableResult(
                _VALIDATION if folder == own else folder.name,
                found,
                _confusion(folder, found.language, notice),
                is_headline=folder == own and found.checkpoint == pointed_checkpoint(run, BEST),
            )
        )
    return results


def _confusion(folder: Path, language: str, notice: Callable[[str], None]) -> Confusion | None:
    """Which answers are taken for which; None where no answers are written there."""
    if not (folder / PREDICTIONS_FILE).exists():
        return None
    try:
        rows = read_answers(folder)
    except LatentVQAError as error:
        notice(f"warning: {error}")
        return None
    return confusion_of(
        (normalise_answer(row.reference, language), normalise_answer(row.answer, language))
        for row in rows
    )
