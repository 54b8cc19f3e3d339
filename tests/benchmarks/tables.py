"""The README's tables from the recorded results: ``python -m tests.benchmarks.tables``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from latentvqa.core.thresholds import KLHealthThresholds
from tests.benchmarks.short_runs import ARMS, RESULTS

README = Path(__file__).parents[2] / "README.md"
LEFT_AT = 0.9  # exact match beyond easy-VQA's plateau


def load() -> dict[str, list[dict[str, Any]]]:
    """Recorded runs by arm, in the order of the arms."""
    runs = json.loads(RESULTS.read_text())
    by_arm = {arm: [run for run in runs if run["arm"] == arm] for arm in ARMS}
    return {arm: held for arm, held in by_arm.items() if held}


def free_bits_table(by_arm: dict[str, list[dict[str, Any]]]) -> str:
    """Where the KL settled under each allowance, against the prediction."""
    limits = KLHealthThresholds()
    head = ["data", "free_bits", "predicted KL raw", "KL raw, each seed", "reduction"]
    head += ["rate / H(A)", "exact match, each seed"]
    rows = []
    for arm, runs in by_arm.items():
        data, change = arm.split("/")
        if change != "default" and not change.startswith("free_bits"):
            continue
        allowed = runs[0]["free_bits"]
        low, high = limits.pinned_low * allowed, limits.pinned_high * allowed
        rows.append(
            [
                data,
                f"{allowed:.3g}{' (auto)' if change.endswith('auto') else ''}",
                f"{low:.4f} to {high:.4f}",
                ", ".join(f"{run['kl_raw']:.4f}" for run in runs),
                _span([100 * run["penalty_reduction"] for run in runs], "{:.0f} %"),
                _span([run["rate"] / run["answer_entropy"] for run in runs], "{:.1f}"),
                ", ".join(f"{100 * run['exact_match'][-1]:.1f}" for run in runs),
            ]
        )
    return _table(head, rows)


def recipe_table(by_arm: dict[str, list[dict[str, Any]]]) -> str:
    """Each change of the recipe alone, on a quarter of easy-VQA."""
    head = ["change", "plateau left at epoch, each seed", "exact match after 4, 8 and 12 epochs"]
    rows = []
    for arm, runs in by_arm.items():
        data, change = arm.split("/")
        if data != "easy-vqa":
            continue
        left = [_first_above(run["exact_match"], LEFT_AT) for run in runs]
        marks = [100 * mean(run["exact_match"][epoch] for run in runs) for epoch in (3, 7, 11)]
        spread = _span([100 * run["exact_match"][-1] for run in runs], "{:.1f}")
        name = "**default**" if change == "default" else change
        rows.append(
            [
                name,
                ", ".join("-" if epoch is None else str(epoch) for epoch in left),
                f"{', '.join(f'{mark:.1f}' for mark in marks)} ({spread})",
            ]
        )
    return _table(head, rows)


def _first_above(values: Sequence[float], limit: float) -> int | None:
    return next((epoch for epoch, value in enumerate(values) if value >= limit), None)


def _span(values: Sequence[float], form: str) -> str:
    ends = [form.format(min(values)), form.format(max(values))]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


TABLES = {"free-bits": free_bits_table, "recipe": recipe_table}


def filled(document: str) -> str:
    """The document with every table between its marks made anew."""
    by_arm = load()
    for name, make in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, rest = document.split(start)
        _, after = rest.split(end)
        document = f"{before}{start}\n{make(by_arm)}\n{end}{after}"
    return document


def main() -> None:
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
