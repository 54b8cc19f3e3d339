"""The names that a user gives to what a log holds: FIELD in ``--map FIELD=COLUMN``."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

Split = Literal["", "val", "test"]  # what a row says of all its columns
Key = tuple[str, Split]  # a column, and the split of its row
Place = Literal["position", "train", "val", "run", "other"]


@dataclass(frozen=True)
class Field:
    """Where a value goes.

    Attributes:
        place: a split of the record, the record itself, what places a row, or
            ``other`` for what only explains the rest.
        attribute: name in the record; for a position ``epoch``, ``step``,
            ``stage`` or ``split``.
    """

    place: Place
    attribute: str

    @property
    def label(self) -> str:
        """The name in a sentence: ``train kl_raw``, ``epoch``."""
        return f"{self.place} {self.attribute}" if self.place in SPLITS else self.attribute


SPLITS: tuple[Literal["train", "val"], ...] = ("train", "val")

# what a run of ours tells other tools as well, and nobody else measures so
OWN_METRICS = ("answer_gain", "prior_nll", "blind_nll", "image_gain", "image_gain_error")
# name on the command line -> attribute of SplitMetrics
METRICS = {
    "total": "total_loss",
    "answer": "answer_loss",
    "nll": "answer_nll",
    "kl_raw": "kl_raw",
    "kl": "kl_after",
    "ortho": "orthogonality",
    "teacher": "teacher_loss",
    "exact_match": "exact_match",
    "rate": "rate",
    "active_units": "active_units",
    "information_bound": "information_bound",
    "answer_entropy": "answer_entropy",
    "temperature": "temperature",
    **{name: name for name in OWN_METRICS},
}
POSITIONS = ("epoch", "step", "stage", "split")
WEIGHTS = ("learning_rate", "kl_weight", "effective_kl_weight")


def _all_fields() -> dict[str, Field]:
    fields = {name: Field("position", name) for name in POSITIONS}
    fields |= {name: Field("run", name) for name in WEIGHTS}
    for split in SPLITS:
        for name, attribute in METRICS.items():
            fields[f"{split}_{name}"] = fields[f"{split}_{attribute}"] = Field(split, attribute)
    for name, attribute in METRICS.items():
        fields[name] = fields[attribute] = Field("train", attribute)
    return fields


FIELDS = _all_fields()


def nearest(name: str, known: list[str], most: int = 1) -> list[str]:
    """The known names most like another one, the best first."""
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(one.lower(), one)
    matches = difflib.get_close_matches(name.lower()[:80], list(folded), n=most, cutoff=0.0)
    return [folded[match] for match in matches]
