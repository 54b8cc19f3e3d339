"""What tells one work of prediction from another: a hash of all that its rows depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from latentvqa.engine.prediction.asking import Asking
from latentvqa.engine.prediction.predict import PredictionSettings
from latentvqa.engine.runs.loading import LoadedModel


def request_hash(
    loaded: LoadedModel, asking: Asking, rows: range, settings: PredictionSettings, style: str
) -> str:
    """A hash that is equal for works whose rows are equal, given the same picture files.

    Args:
        loaded: the model.
        asking: what is asked.
        rows: the rows that are answered.
        settings: how.
        style: how a row is written.
    """
    sum_ = hashlib.sha256()

    def add(part: Iterable[str]) -> None:
        for text in part:
            data = text.encode("utf-8", "surrogatepass")
            sum_.update(len(data).to_bytes(8, "little"))
            sum_.update(data)

    add([json.dumps(dict(loaded.facts), sort_keys=True, default=str), style, repr(rows)])
    add([repr((settings.samples, settings.top, list(settings.answers)))])
    add(picture.name for picture in asking.pictures)
    add(asking.questions)
    add(asking.ids)
    if asking.pairs is not None:
        sum_.update(asking.pairs.tobytes())
    return sum_.hexdigest()
