"""``samples.jsonl``: what a run answered to the same few questions, epoch after epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.runs.folder import RunFolder
from latentvqa.errors import CheckpointError
from latentvqa.sums import read_summed, replace_summed

_ADVICE = "Remove it; the next sample answers begin it anew."
_ADAPTER = TypeAdapter(SampleAnswer)


def read_samples(run: Path) -> list[SampleAnswer]:
    """Sample answers of a run, epochs rising; none where it kept none.

    Raises:
        CheckpointError: if the file is not as the run wrote it, or cannot be read.
    """
    path = RunFolder(run).samples
    if not path.exists():
        return []
    try:
        lines = read_summed(path, _ADVICE).splitlines()
        return [_ADAPTER.validate_json(line) for line in lines]
    except (OSError, ValidationError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}). {_ADVICE}") from error


def write_samples(run: Path, samples: Sequence[SampleAnswer]) -> None:
    """Add the answers after an epoch, in the place of any of this epoch and of later ones.

    Raises:
        CheckpointError: if the file that is there is not as the run wrote it.
        OSError: if it cannot be written.
    """
    epoch = samples[0].epoch
    kept = [one for one in read_samples(run) if one.epoch < epoch]
    text = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in (*kept, *samples))
    replace_summed({RunFolder(run).samples: text.encode("utf-8", "surrogatepass")})
