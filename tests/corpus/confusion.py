"""Expected against found verdicts of the corpus: ``python -m tests.corpus.confusion``.

Writes them into RESULTS.md, over the logs that are there; a test compares once
all of them are.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from textwrap import fill
from typing import Any

from latentvqa.core.diagnosis.diagnose import Diagnosis
from tests.corpus.judging import EXPECTED, diagnosis_of, faults, missing_logs
from tests.readme_parts import write_readme_part

Confusion = Counter[tuple[str, str]]  # expected and found verdict: how many logs
UNNAMED = "no verdict named"
OTHER_FINDINGS = "other findings"  # the verdict as expected, but not all that goes with it


def confusion(names: Iterable[str]) -> Confusion:
    """How often each expected verdict was found as what."""
    return Counter(_cell(EXPECTED[name], diagnosis_of(name)) for name in names)


def confusion_table(counts: Confusion) -> str:
    """One row per expected verdict as Markdown, the most frequent first."""
    rows = ["| verdict expected | logs | as expected | otherwise |", "|---|---|---|---|"]
    logs = Counter[str]()
    for (expected, _), count in counts.items():
        logs[expected] += count
    for expected, total in sorted(logs.items(), key=lambda pair: (-pair[1], pair[0])):
        others = sorted((f, n) for (e, f), n in counts.items() if e == expected != f)
        others_found = ", ".join(f"{_code(found)} {count}" for found, count in others)
        right = counts[expected, expected]
        rows.append(f"| {_code(expected)} | {total} | {right} | {others_found} |")
    right = sum(count for (expected, found), count in counts.items() if expected == found)
    rows.append(f"| all | {logs.total()} | {right} | {logs.total() - right or ''} |")
    return "\n".join(rows)


def corpus_summary() -> str:
    """What the corpus is and which verdicts its logs get, as Markdown."""
    missing = missing_logs()
    names = [name for name in EXPECTED if name not in missing]
    kinds = Counter(EXPECTED[name]["kind"] for name in names)
    summary = fill(
        f"The rules are held against a corpus of {len(names)} logs (`tests/corpus`): "
        f"{kinds['trained']} of tiny models that were really trained, many with a fault built in, "
        f"{kinds['made']} written by hand, and {kinds['foreign']} files as other tools write them "
        "or damaged ones. What must and must not be said about each was written down before the "
        "rules; where a log showed the expectation to be wrong, `expectations.toml` says so. A "
        "log for which only findings were written down counts for the verdict that it got, if "
        "they all agree.",
        80,
    )
    return f"{summary}\n\n{confusion_table(confusion(names))}"


def _cell(expected: Mapping[str, Any], diagnosis: Diagnosis) -> tuple[str, str]:
    """Expected and found verdict; an expectation that names none takes what is found."""
    found, is_met = diagnosis.verdict.code, not faults(expected, diagnosis)
    wanted = expected.get("verdict", found if is_met else UNNAMED)
    return wanted, found if is_met or wanted != found else OTHER_FINDINGS


def _code(verdict: str) -> str:
    return verdict if verdict in (UNNAMED, OTHER_FINDINGS) else f"`{verdict}`"


if __name__ == "__main__":
    write_readme_part("confusion", corpus_summary())
    for log in missing_logs():
        print(f"left out, since it is not trained yet: {log}", file=sys.stderr)
