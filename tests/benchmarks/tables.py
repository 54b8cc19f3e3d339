"""Tables of README and RESULTS.md from the records: ``python -m tests.benchmarks.tables``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from latentvqa.core.rules.catalogue import RULE_OF
from latentvqa.core.rules.rule import Advice
from latentvqa.core.rules.thresholds import KLHealthThresholds
from latentvqa.engine.metrics.paired_tests import difference_over_seeds
from latentvqa.report.diagnosis.advice import advice_text
from tests.benchmarks import ablations, advice, controls
from tests.benchmarks.short_runs import ARMS, RESULTS

DOCUMENT = Path(__file__).parent / "RESULTS.md"
FAULTS = Path(__file__).parent / "results" / "faults.json"
LEFT_AT = 0.9  # exact match beyond easy-VQA's plateau


def load() -> dict[str, list[dict[str, Any]]]:
    """Recorded runs by arm, in the order of the arms."""
    runs = json.loads(RESULTS.read_text())
    by_arm = {arm: [run for run in runs if run["arm"] == arm] for arm in ARMS}
    return {arm: held for arm, held in by_arm.items() if held}


def free_bits_table(by_arm: dict[str, list[dict[str, Any]]]) -> str:
    """Where the KL settled under each allowance, against the prediction."""
    limits = KLHealthThresholds()
    head = ["data", "free_bits", "predicted KL", "KL, each seed", "KL not charged"]
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


def ablation_tables(records: Sequence[dict[str, Any]]) -> str:
    """A table per recorded plan: the arms, and each against the default."""
    return "\n\n".join(_ablation_table(record) for record in records)


def _ablation_table(record: dict[str, Any]) -> str:
    head = ["arm", "exact match, %", "answer loss", "KL", "rate", "latents shuffled, %"]
    head += ["epochs", "points, 95 % over seeds; over images", "in a word"]
    rows = []
    for name, arm in record["arms"].items():
        of_arm = [run["metrics"] for run in record["runs"] if run["arm"] == name]
        against = arm["against_default"]
        shown = [
            _mean_and_span(of_arm, "exact_match", "{:.1f}", 100.0),
            _mean_and_span(of_arm, "answer_loss", "{:.3f}"),
            _mean_and_span(of_arm, "kl_raw", "{:.3f}"),
            _mean_and_span(of_arm, "rate", "{:.0f}"),
            _mean_and_span(of_arm, "exact_match_latents_shuffled", "{:.1f}", 100.0),
            _mean_and_span(of_arm, "epochs", "{:g}"),
        ]
        if against is None:
            rows.append([f"**{name}** (default)", *shown, "", ""])
            continue
        over = against["over_seeds"]["exact_match"]
        ranges = "; ".join(_points(one) for one in (over, against["over_images"]) if one)
        rows.append([name, *shown, f"{100 * over['value']:+.1f} ({ranges})", against["word"]])
    seeds = ", ".join(map(str, record["seeds"]))
    made = f"`{record['command']}`, seeds {seeds}, commit {record['commit']}."
    return f"{record['description']}. {made}\n\n{_table(head, rows)}"


def easy_vqa_table(found: dict[str, Any]) -> str:
    """The Gaussian runs on easy-VQA's test table."""
    head = ["seed", "left the plateau at epoch", "exact match on test", "latents shuffled"]
    head += ["learnt of the nats needed", "rate, nats", "latent can carry, nats", "training"]
    rows = []
    for run in (run for run in found["runs"] if run["arm"] == "gaussian"):
        information = run["information"]
        gain, need = information["answer_gain"], information["answer_entropy"]
        left = _first_above(run["validation"], LEFT_AT)
        rows.append(
            [
                str(run["seed"]),
                "-" if left is None else str(left),
                _share(run["metrics"]["exact_match"]),
                f"{100 * run['metrics']['exact_match_latents_shuffled']['value']:.1f} %",
                f"{gain:.2f} of {need:.2f}",
                f"{run['rate']:.0f}",
                f"{information['bound']:.0f}",
                f"{run['minutes']:.1f} min",
            ]
        )
    return f"{_table(head, rows)}\n\n{_commits(found, ['gaussian'])}"


def controls_table(found: dict[str, Any]) -> str:
    """Every arm on easy-VQA's test table, and the paired differences."""
    head = ["model", "exact match on test, each seed", "same-question shuffle", "calibration error"]
    head += ["Gaussian minus this, points: over seeds", "over images"]
    pairs = {pair["arms"][1]: pair["all"] for pair in found["pairs"]}
    gaussian = _scores(found, "gaussian")
    rows = []
    for arm in controls.ARMS:
        runs = [run for run in found["runs"] if run["arm"] == arm]
        if not runs or arm in controls.SHORT_PAIR:
            continue
        shuffled = [run["shuffled"]["exact_match"]["value"] for run in runs if run["shuffled"]]
        errors = [run["confidence"]["calibration_error"]["value"] for run in runs]
        scores = _scores(found, arm)
        over_seeds = difference_over_seeds(
            [gaussian[seed] - score for seed, score in scores.items() if seed in gaussian]
        )
        rows.append(
            [
                arm,
                ", ".join(f"{100 * score:.2f}" for score in scores.values()),
                _span([100 * value for value in shuffled], "{:.1f} %") if shuffled else "-",
                _span([100 * value for value in errors], "{:.2f} %"),
                "" if arm == "gaussian" else _difference(asdict(over_seeds)),
                _difference(pairs[arm]) if arm in pairs else "",
            ]
        )
    return f"{_table(head, rows)}\n\n{_commits(found, list(controls.ARMS))}"


def _commits(found: dict[str, Any], arms: Sequence[str]) -> str:
    """What was checked out for the runs of these arms."""
    by_commit: dict[str, dict[str, None]] = {}
    for run in (run for run in found["runs"] if run["arm"] in arms):
        by_commit.setdefault(run["commit"], {})[run["arm"]] = None
    named = ", ".join(
        commit if len(by_commit) == 1 else f"{commit} ({', '.join(held)})"
        for commit, held in by_commit.items()
    )
    return f"Commit {named}; `python -m tests.benchmarks.controls`."


def _scores(found: dict[str, Any], arm: str) -> dict[int, float]:
    """Exact match on test by seed."""
    runs = [run for run in found["runs"] if run["arm"] == arm]
    return {run["seed"]: run["metrics"]["exact_match"]["value"] for run in runs}


def _difference(estimate: dict[str, Any]) -> str:
    value, low, high = (100 * estimate[end] for end in ("value", "low", "high"))
    # a difference of nothing has no sign; that of an interval's end says on which side of 0 it is
    value = 0.0 if abs(value) < 0.005 else value
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def risk_table(found: dict[str, Any]) -> str:
    """Risk-coverage after two epochs, where both models still make many mistakes."""
    head = ["seed", "errors of the Gaussian", "of the deterministic model"]
    head += ["area under the risk-coverage curve, Gaussian minus deterministic, points"]
    rows = []
    for risk in found["risks"]:
        errors = [f"{count:,}" for count in risk["errors"]]
        rows.append([str(risk["seed"]), *errors, _difference(risk["difference"])])
    return _table(head, rows)


def _share(measure: dict[str, float]) -> str:
    low, high = 100 * measure["low"], 100 * measure["high"]
    return f"{100 * measure['value']:.2f} % ({low:.2f} to {high:.2f})"


def _mean_and_span(
    runs: Sequence[dict[str, float]], measure: str, form: str, scale: float = 1.0
) -> str:
    values = [scale * run[measure] for run in runs if measure in run]
    if not values:
        return "-"
    span = _span(values, form)
    return span if " to " not in span else f"{form.format(mean(values))} ({span})"


def _points(estimate: dict[str, Any]) -> str:
    if estimate["low"] is None:
        return "-"
    return f"{100 * estimate['low']:+.1f} to {100 * estimate['high']:+.1f}"


def _first_above(values: Sequence[float], limit: float) -> int | None:
    return next((epoch for epoch, value in enumerate(values) if value >= limit), None)


def _span(values: Sequence[float], form: str) -> str:
    ends = [form.format(min(values)), form.format(max(values))]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def faults_table(found: dict[str, Any]) -> str:
    """What kills and stop signals at random moments did."""
    commands = found["faults met by other commands"]
    codes = ", ".join(f"{name} {count}" for name, count in found["exit codes"].items())
    rows = [
        ["kill -9, no loader process", str(found["kills met without workers"]), ""],
        ["kill -9, two loader processes", str(found["kills met with 2 workers"]), ""],
        ["killed runs, resumed", str(found["killed runs that ended bit for bit"]), "bit for bit"],
        [
            "stop signals",
            str(found["signals met"]),
            f"no hang; at most {found['most seconds until the end']} s; {codes}",
        ],
        [
            "kills and stop signals in other commands",
            str(sum(commands.values())),
            f"{', '.join(sorted(commands))}: nothing damaged",
        ],
    ]
    failed = found["failures"]
    rows.append(["trials that failed", str(len(failed)), "; ".join(failed)])
    return _table(["fault", "met the program alive", "and then"], rows)


def ablation_records(*, controls: bool = False) -> list[dict[str, Any]]:
    """Recorded plans, or the recorded controls on the scenes; none yet is no fault."""
    path = ablations.RESULTS
    records = json.loads(path.read_text()) if path.exists() else []
    return [record for record in records if (record["plan"] == ablations.CONTROLS) is controls]


def controls_record() -> dict[str, Any]:
    """Recorded runs on easy-VQA's test table."""
    found: dict[str, Any] = json.loads(controls.RESULTS.read_text())
    return found


def front_page_table(found: dict[str, Any]) -> str:
    """Every model on easy-VQA's test table in one row, beside what needs no image."""
    names = {
        "gaussian": "**Gaussian latent** (the default)",
        "deterministic": "deterministic latent, no KL",
        "none": "no bottleneck",
        "question-only": "question only, no image",
    }
    gaussian = _scores(found, "gaussian")
    rows = []
    for arm, name in names.items():
        scores = _scores(found, arm)
        over_seeds = difference_over_seeds([gaussian[seed] - scores[seed] for seed in scores])
        runs = [run for run in found["runs"] if run["arm"] == arm and run["shuffled"]]
        shuffled = [100 * run["shuffled"]["exact_match"]["value"] for run in runs]
        rows.append(
            [
                name,
                ", ".join(f"{100 * score:.2f}" for score in scores.values()),
                _span(shuffled, "{:.1f}") if shuffled else "-",
                "" if arm == "gaussian" else _difference(asdict(over_seeds)),
            ]
        )
    head = ["model", "exact match on test, %, each seed", "with another image's latents, %"]
    return _table(head=[*head, "Gaussian minus this, points"], rows=rows)


def advice_table(records: Sequence[dict[str, Any]]) -> str:
    """Every planted fault, the advice of its codes, and what became of it."""
    head = ["finding", "fault planted", "advice given", "cured", "measure", "before", "after"]
    rows = []
    for name, fault in advice.FAULTS.items():
        runs = [one for one in records if one["fault"] == name]
        for code in fault.codes if runs else ():
            held = [one["codes"][code] for one in runs]
            given = [entry for entry in held if entry["advice"] is not None]
            changes = {advice_text(Advice(**entry["advice"])) for entry in given}
            words, form = fault.shown
            rows.append(
                [
                    f"{code} `{RULE_OF[code].name}`",
                    fault.what,
                    ", ".join(f"`{text}`" for text in sorted(changes)),
                    f"{sum(entry['cured'] for entry in held)} of {len(held)}",
                    words,
                    _span([one["measures"][fault.measure] for one in runs], form),
                    _span([entry["measures"][fault.measure] for entry in given], form),
                ]
            )
    commits = ", ".join(sorted({one["commit"] for one in records}))
    seeds = ", ".join(map(str, sorted({one["seed"] for one in records})))
    made = f"`python -m tests.benchmarks.advice`, seeds {seeds}, commit {commits}."
    meant: dict[str, list[str]] = {}
    for fault in advice.FAULTS.values():
        meant.setdefault(fault.cured, []).append(fault.what)
    lines = [f"- {'; '.join(faults)}: {cured}." for cured, faults in meant.items()]
    told = "Cured means that the finding is no warning any more at the end, and:"
    return "\n\n".join([_table(head, rows), made, told, "\n".join(lines)])


TABLES = {
    "easy-vqa-runs": lambda: easy_vqa_table(controls_record()),
    "controls": lambda: controls_table(controls_record()),
    "risk": lambda: risk_table(controls_record()),
    "scene-controls": lambda: ablation_tables(ablation_records(controls=True)),
    "free-bits": lambda: free_bits_table(load()),
    "recipe": lambda: recipe_table(load()),
    "ablations": lambda: ablation_tables(ablation_records()),
    "advice": lambda: advice_table(advice.recorded()),
    "faults": lambda: faults_table(json.loads(FAULTS.read_text())),
}


def filled(document: str) -> str:
    """The document with every table between its marks made anew."""
    for name, make in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, rest = document.split(start)
        _, after = rest.split(end)
        document = f"{before}{start}\n{make()}\n{end}{after}"
    return document


def main() -> None:
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
