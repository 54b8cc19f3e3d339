"""Numbers of a run under the names that its log has, for tools that show curves.

Places in the log become parts of a name: ``val.kl_raw`` is ``val/kl_raw``, the first
latent token ``val/kl_tokens/0``. Units are those of the log.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.record_codec import encode_epoch
from latentvqa.core.records import EpochRecord
from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.core.rules.rule import severity

VERDICT = "verdict/level"
# what is no curve: distributions, and what happened
_NO_CURVES = frozenset({"kl_histogram", "tuning", "trainable"})


def epoch_measures(record: EpochRecord) -> dict[str, float]:
    """Every number of an epoch's record by its name."""
    return dict(_numbers("", encode_epoch(record)))


def verdict_level(diagnosis: Diagnosis) -> float:
    """The level as a number: 0 ok, 1 not judged, 2 info, 3 warning, 4 critical."""
    return float(severity(diagnosis.verdict.level))


def evaluation_measures(result: EvaluationResult) -> dict[str, float]:
    """Scores, losses and image-blind scores of an evaluation by their names."""
    found = {f"evaluation/{name}": one.value for name, one in result.metrics.items()}
    found |= _numbers("evaluation/losses/", vars(result.losses))
    found |= _numbers("evaluation/priors/", result.priors)
    types = {name: one.exact_match.value for name, one in result.types.items()}
    return found | dict(_numbers("evaluation/types/", types))


def _numbers(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if name in _NO_CURVES:
            continue
        if isinstance(value, Mapping):
            yield from _numbers(f"{prefix}{name}/", value)
        elif isinstance(value, list):
            yield from _numbers(f"{prefix}{name}/", {str(i): v for i, v in enumerate(value)})
        elif isinstance(value, (int, float)) and math.isfinite(value):
            yield f"{prefix}{name}", float(value)
