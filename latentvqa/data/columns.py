"""Match the logical columns of a question table with the names in a file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from latentvqa.core.quoting import shortened
from latentvqa.data.cells import clean_text
from latentvqa.errors import ConfigError, DataError

_LONGEST_NAME = 60
_MOST_NAMES = 30  # that a message shows, and among which a near one is sought
LOGICAL_COLUMNS = ("image", "question", "answer", "answers", "type", "id")


def find_columns(
    path: Path,
    names: Sequence[str],
    mapping: Mapping[str, str],
    *,
    require_answers: bool,
    usual: Mapping[str, str] | None = None,
    guess: Callable[[], Mapping[str, str]] = dict,
) -> dict[str, str]:
    """Return the file's column for each logical column that it has.

    ``answers`` goes before ``answer``, but a column that the mapping names goes
    before one that merely has the right name.

    Args:
        path: the table, for messages.
        names: of its columns.
        mapping: the file's names where they differ; they must be there.
        require_answers: whether a table without answers is refused.
        usual: names that other tables of the kind have; taken where they are there.
        guess: which columns are meant, as far as names and cells tell; for the message.

    Raises:
        ConfigError: for an unknown logical column.
        DataError: for a mapped column that the file lacks, or a missing
            ``image``, ``question`` or answer.
    """
    require_logical("data.columns", mapping)
    mapping = {logical: clean_text(name) for logical, name in mapping.items()}
    like_others = {logical: clean_text(name) for logical, name in (usual or {}).items()}
    mapping = {one: name for one, name in like_others.items() if name in names} | mapping
    found = {
        logical: mapping.get(logical, logical)
        for logical in LOGICAL_COLUMNS
        if mapping.get(logical, logical) in names
    }
    if "answers" in found and "answer" in found:
        is_single_meant = "answer" in mapping and "answers" not in mapping
        del found["answers" if is_single_meant else "answer"]
    missing = [logical for logical in ("image", "question") if logical not in found]
    if require_answers:
        if "answer" not in found and "answers" not in found:
            missing.append("answers" if "answers" in mapping else "answer")
        missing += [name for name in mapping if name in ("type", "id") and name not in found]
    if missing:
        raise DataError(_missing_message(path, names, mapping, missing, guess()))
    return found


def require_logical(said: str, names: Iterable[str]) -> None:
    """Refuse names that no column of a question table has.

    Args:
        said: where they were given.
        names: of logical columns.

    Raises:
        ConfigError: naming the unknown ones.
    """
    unknown = [logical for logical in names if logical not in LOGICAL_COLUMNS]
    if unknown:
        raise ConfigError(
            f"{said}: {', '.join(unknown)} is not a column of a question table; "
            f"known are {', '.join(LOGICAL_COLUMNS)}"
        )


def _missing_message(
    path: Path,
    names: Sequence[str],
    mapping: Mapping[str, str],
    missing: Sequence[str],
    guessed: Mapping[str, str],
) -> str:
    wanted = ", ".join(repr(mapping.get(logical, logical)) for logical in missing)
    more = len(names) - _MOST_NAMES
    names = names[:_MOST_NAMES]
    shown = ", ".join(name if len(name) <= _LONGEST_NAME else shortened(name) for name in names)
    rest = f" and {more:,} more" if more > 0 else ""
    message = f"{path}: row 1: no column {wanted}. The columns are: {shown}{rest}."
    taken = {mapping.get(logical, logical) for logical in LOGICAL_COLUMNS}
    free = [name for name in names if name and name not in taken]
    entries, options = [], []
    for logical in missing:
        close = get_close_matches(logical, free, n=1, cutoff=0.4)
        guess = guessed.get(logical, "")
        if guess not in free:
            others = (name for name in free if name not in guessed.values())
            guess = close[0] if close else next(others, "...")
        free = [name for name in free if name != guess]
        entries.append(f"{logical} = {json.dumps(guess, ensure_ascii=False)}")
        options.append(f"--column {shlex.quote(f'{logical}={guess}')}")
    advice = f"columns = {{ {', '.join(entries)} }} in [data], or {' '.join(options)}"
    return f"{message} If they have other names: {advice}"
