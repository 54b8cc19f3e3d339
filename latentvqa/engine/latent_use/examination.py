"""What an examination of the latent found, and the rows behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentvqa.core.results.latent_use import LatentUse


@dataclass(frozen=True, eq=False)
class Examination:
    """The result with what it holds of single rows.

    Attributes:
        result: all evidence and the verdict.
        rows: numbers of the examined rows in the table's file, shape ``(n,)``.
        attention: of each latent token over patches and question summary,
            ``(n, K, P + 1)``; None in the short form.
    """

    result: LatentUse
    rows: np.ndarray
    attention: np.ndarray | None
