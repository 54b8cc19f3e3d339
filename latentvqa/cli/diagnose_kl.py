"""``latentvqa diagnose-kl``: judge runs from their logs alone, without torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from latentvqa.cli.diagnosis_output import DiagnosisOutput, OutputFormat

FINDINGS_EXIT_CODE = 3


class FailOn(StrEnum):
    """From which level on open findings fail the command."""

    warning = "warning"
    critical = "critical"


def diagnose_kl(
    run: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN", help="Run folders, RUN/last, RUN/best or metrics.jsonl files."
        ),
    ],
    *,
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="How to write the diagnosis.")
    ] = OutputFormat.table,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to stdout.")
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with 3 where open findings reach this level."),
    ] = None,
    what_if: Annotated[
        str | None,
        typer.Option(
            "--what-if",
            metavar="free_bits=X",
            help="What X nats of free bits would have cost at the last epoch (static).",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="kl_health.KEY=VALUE", help="Replace a threshold."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the curves too, into .svg or .png."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow a log that grows, until Ctrl-C or its end.")
    ] = False,
    all_epochs: Annotated[
        bool, typer.Option("--all-epochs", help="Show every epoch of a long run.")
    ] = False,
) -> None:
    """Say from the log whether the latent works, and why; compare several runs."""
    from latentvqa.core.diagnosis import diagnose
    from latentvqa.core.threshold_overrides import free_bits_to_try, resolved_thresholds
    from latentvqa.core.what_if import what_if_free_bits
    from latentvqa.history import read_history
    from latentvqa.report.judged_run import JudgedRun

    free_bits = None if what_if is None else free_bits_to_try(what_if)
    output = DiagnosisOutput(output_format, out, plot, is_whole=all_epochs)
    output.require_possible(runs=len(run), is_watched=watch)

    def judge(path: Path) -> JudgedRun:
        history = read_history(path)
        thresholds, notes = resolved_thresholds(history.header.thresholds, overrides or ())
        found = diagnose(
            history.header, history.records, thresholds, notes=(*history.notes, *notes)
        )
        tried = None if free_bits is None else what_if_free_bits(history.records, free_bits)
        return JudgedRun(history, found, thresholds, tried)

    if watch:
        from latentvqa.cli.watching import watch_log

        last = watch_log(run[0], judge)
        if last is None:
            raise typer.Exit(0 if fail_on is None else 1)
        judged = [last]
    else:
        judged = [judge(path) for path in run]
    output.write(judged, is_watched=watch)
    if fail_on is not None and any(one.diagnosis.is_at_least(fail_on.value) for one in judged):
        raise typer.Exit(FINDINGS_EXIT_CODE)
