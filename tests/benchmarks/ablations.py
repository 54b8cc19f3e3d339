"""Records of ablations behind the tables of RESULTS.md, from the folder that ``ablate`` wrote.

    latentvqa ablate free-bits --out FOLDER      (and the other plans)
    latentvqa ablate --controls --out FOLDER
    python -m tests.benchmarks.ablations FOLDER

takes every finished shipped plan of the folder, and the controls, into
``results/ablations.json``, with the command, the commit that is checked out and
the seeds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from latentvqa.config import plan_names

RESULTS = Path(__file__).parent / "results" / "ablations.json"
CONTROLS = "controls-ablation"


def record(found: dict[str, Any], commit: str) -> dict[str, Any]:
    """What the tables need of one plan's result.

    Raises:
        ValueError: if one of its runs is not finished.
    """
    name = found["name"]
    unfinished = [run["number"] for run in found["runs"] if run["state"] != "finished"]
    if unfinished:
        raise ValueError(f"{name}: runs {unfinished} are not finished")
    return {
        "plan": name,
        "description": found["description"],
        "command": f"latentvqa ablate {'--controls' if name == CONTROLS else name}",
        "commit": commit,
        "seeds": found["seeds"],
        "default": found["default"],
        "arms": found["arms"],
        "runs": [{key: run[key] for key in ("arm", "seed", "metrics")} for run in found["runs"]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    by_plan = {one["plan"]: one for one in known}
    names = [CONTROLS, *plan_names()]
    for name in (name for name in names if (folder / f"{name}.json").is_file()):
        by_plan[name] = record(json.loads((folder / f"{name}.json").read_text()), commit)
    ordered = [by_plan[name] for name in names if name in by_plan]
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")


if __name__ == "__main__":
    main()
