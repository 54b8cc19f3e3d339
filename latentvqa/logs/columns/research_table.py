"""The CSV of the research project that LatentVQA grew from, by its exact columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from latentvqa.logs.columns.fields import FIELDS, Field
from latentvqa.logs.columns.names import Meaning

_MEASURED = ("total", "answer", "kl", "kl_raw", "ortho")
_MEANINGS: dict[str, Field | None] = {
    "epoch": FIELDS["epoch"],
    "stage": FIELDS["stage"],
    **{f"train_{name}": FIELDS[f"train_{name}"] for name in (*_MEASURED, "teacher")},
    **{f"val_{name}": FIELDS[f"val_{name}"] for name in _MEASURED},
    "learning_rate": FIELDS["learning_rate"],
    "kl_weight": FIELDS["kl_weight"],
    "effective_kl_weight": FIELDS["effective_kl_weight"],
    "overfitting_ratio": None,  # follows from the losses
    "answer_gap": None,
    "best_val_answer": Field("run", "best_value"),
    "patience": Field("run", "patience_used"),
}
COLUMNS = tuple(_MEANINGS)
MEANINGS = {name: Meaning(field) for name, field in _MEANINGS.items() if field is not None}


def is_research_table(names: Collection[str]) -> bool:
    """Whether a table has all the columns, in any order."""
    return set(COLUMNS) <= set(names)


def extra_columns(names: Sequence[str]) -> list[str]:
    """Columns that the research project's table does not have."""
    return [name for name in names if name not in _MEANINGS]
