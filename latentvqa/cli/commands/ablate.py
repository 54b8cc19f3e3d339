"""``latentvqa ablate``: the same seeds under several settings, compared with tests."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.outputs import NamedOutput
from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.config import Ablation
    from latentvqa.core.ablation import AblationResult


def ablate(
    plan: Annotated[
        str | None,
        typer.Argument(
            metavar="PLAN",
            help="baseline-stage, early-stopping, free-bits, kl-factor, vision-freeze; or a TOML "
            "file.",
        ),
    ] = None,
    is_controls: Annotated[
        bool,
        typer.Option(
            "--controls",
            help="Instead of a plan: the model as configured against deterministic, no bottleneck, "
            "question only.",
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Start from it, not from the plan's base."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help="Start from it, not from the plan's base."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replace a key of the base for all arms."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Seeds 0 to N-1, not the plan's."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder; plans in it share equal runs.")
    ] = Path("ablations"),
    index: Annotated[
        int | None,
        typer.Option("--index", min=0, metavar="N", help="Train run N alone, for an array job."),
    ] = None,
    is_listed: Annotated[
        bool, typer.Option("--list", help="Show the numbered runs with their state; train nothing.")
    ] = False,
    is_collected: Annotated[
        bool, typer.Option("--collect", help="Compare what is finished; train nothing.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Take up runs that failed before.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of --out that are no results.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The result as one JSON object on stdout.")
    ] = False,
) -> None:
    """Train arms that differ in a setting with the same seeds, and compare them.

    Example: latentvqa ablate --controls --config run.toml --seeds 3
    """
    from latentvqa.config import ablation_warnings, controls, load_plan, plan_names
    from latentvqa.errors import ConfigError
    from latentvqa.python_process import refuse_copies

    if plan is not None and is_controls:
        raise ConfigError(f"{plan} and --controls exclude each other: ask for one")
    if plan is None and not is_controls:
        raise ConfigError(
            f"name a plan ({', '.join(plan_names())}, or a TOML file), or ask for --controls"
        )
    if sum((is_listed, is_collected, index is not None)) > 1:
        raise ConfigError("--list, --collect and --index exclude each other")
    base = {"config": config, "preset": preset, "overrides": overrides or [], "seeds": seeds}
    ablation = controls(**base) if plan is None else load_plan(plan, **base)  # type: ignore[arg-type]
    count = len(ablation.seeds) * len(ablation.arms)
    if index is not None and index >= count:
        raise ConfigError(f"--index {index}: the runs are numbered 0 to {count - 1}")
    if not is_listed and not is_collected:
        refuse_copies()
    files = _result_files(ablation, out, overwrite=overwrite)
    if index is None and not is_listed:
        _require_writable(files, ablation, [*map(Path, [plan] if plan else []), config])
    for warning in ablation_warnings(ablation):
        say(f"warning: {warning}", is_notice=True)
    if not is_listed and not is_collected:
        _run(ablation, out, index, retry_failed=retry_failed)
    _show(ablation, out, index, files, is_listed=is_listed, as_json=as_json)


def _run(ablation: Ablation, out: Path, index: int | None, *, retry_failed: bool) -> None:
    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.ablation.runner import run_ablation
    from latentvqa.stopping import Interrupted, undisguised

    with ProgressLine() as line:
        observer = NoticeObserver(line)
        try:
            with undisguised():
                run_ablation(ablation, out, observer, only=index, retry_failed=retry_failed)
        except Interrupted:
            observer.notice("interrupted; saved. The same command goes on where it stopped.")
            raise


def _result_files(ablation: Ablation, out: Path, *, overwrite: bool) -> dict[str, NamedOutput]:
    """The files of the result by what their names end in; an earlier result is replaced."""
    from latentvqa.errors import OutputError
    from latentvqa.report.ablation.files import is_result

    if os.path.lexists(out) and not out.is_dir():
        raise OutputError(f"--out {out}: is a file. Name a folder.")
    overwrite = overwrite or is_result(out / f"{ablation.name}.json")
    return {
        ending: NamedOutput("--out", out / f"{ablation.name}{ending}", overwrite)
        for ending in (".json", ".csv", "-runs.csv", ".png")
    }


def _require_writable(
    files: Mapping[str, NamedOutput], ablation: Ablation, inputs: Sequence[Path | None]
) -> None:
    read = list(inputs)
    for config in ablation.arms.values():
        read += [config.data.train, config.data.val]
    known = [one for one in read if one is not None]
    for file in files.values():
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.require_writable(known)


def _show(
    ablation: Ablation,
    out: Path,
    index: int | None,
    files: Mapping[str, NamedOutput],
    *,
    is_listed: bool,
    as_json: bool,
) -> None:
    """Show the result, write its files, and leave with 1 where a run failed."""
    from latentvqa.engine.ablation.results import collect_results
    from latentvqa.report.ablation.files import result_json
    from latentvqa.report.ablation.tables import result_panel, runs_table
    from latentvqa.report.console import PlainConsole
    from latentvqa.report.text import json_text

    result = collect_results(ablation, out)
    screen = PlainConsole()
    if as_json:
        say(json_text(result_json(result)))
    elif is_listed:
        screen.print(runs_table(result))
    elif index is None:
        screen.print(result_panel(result, screen.width))
    if index is None and not is_listed:
        written = _write(result, files)
        say(f"written to {out}: {', '.join(one.path.name for one in written)}", is_notice=True)
    shown = result.runs if index is None else [result.runs[index]]
    if not is_listed and any(run.state == "failed" for run in shown):
        raise typer.Exit(1)


def _write(result: AblationResult, files: Mapping[str, NamedOutput]) -> list[NamedOutput]:
    """Write the files; gives those that were written."""
    from latentvqa.report.ablation.files import arms_csv, result_json, runs_csv
    from latentvqa.report.ablation.plot import ablation_png
    from latentvqa.report.text import json_text

    text = json_text(result_json(result))
    contents = {
        ".json": text.encode(),
        ".csv": arms_csv(result).encode(),
        "-runs.csv": runs_csv(result).encode(),
    }
    if result.in_state("finished"):
        contents[".png"] = ablation_png(result)
    for ending, content in contents.items():
        # what came into being meanwhile is the result of another process at the same plan
        replace(files[ending], overwrite=True).save(content)
    return [files[ending] for ending in contents]
