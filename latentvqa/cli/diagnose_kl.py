"""``latentvqa diagnose-kl``: judge runs from their logs alone, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from latentvqa.core.diagnosis import Diagnosis
    from latentvqa.core.thresholds import KLHealthThresholds
    from latentvqa.core.what_if import WhatIf
    from latentvqa.history import History

FINDINGS_EXIT_CODE = 3
PLAIN_WIDTH = 100  # columns of a table that is written to a file


class OutputFormat(StrEnum):
    """How a diagnosis is written."""

    table = "table"
    json = "json"
    markdown = "markdown"
    html = "html"


class FailOn(StrEnum):
    """From which level on open findings fail the command."""

    warning = "warning"
    critical = "critical"


def diagnose_kl(
    run: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN_OR_LOG",
            help="Run folders, RUN/last, RUN/best, metrics.jsonl files, or logs of other tools: "
            "CSV, TSV, JSON lines, Lightning, trainer_state.json, TensorBoard, plain text.",
        ),
    ] = None,
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
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Replace a threshold (kl_health.KEY) or tell what the log does not: "
            "kl.reduction, kl.free_bits, kl.factor, kl.max_weight, latent.tokens, latent.dims.",
        ),
    ] = None,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain", metavar="CODE", help="Say what a rule means and why, as KL004; no RUN."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="TOML of the run: its [kl], [latent], [teacher] and [kl_health] win over the log.",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="What a column of another tool's log holds, as in kl_raw=train/kl.",
        ),
    ] = None,
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(
            "--steps-per-epoch", metavar="N", help="Turn steps into epochs where the log has none."
        ),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            metavar="NAME",
            help="Read plain text by a pattern: pytorch-vae or key-value.",
        ),
    ] = None,
) -> None:
    """Say from the log whether the latent works, and why."""
    from latentvqa.core.diagnosis import diagnose
    from latentvqa.core.threshold_overrides import free_bits_to_try, resolved_thresholds
    from latentvqa.core.what_if import what_if_free_bits
    from latentvqa.errors import ConfigError
    from latentvqa.logs import log_options, read_log

    if explain is not None:
        _explain(explain, overrides or ())
        return
    if not run:
        raise ConfigError("name a run folder or a log to diagnose, or a rule with --explain CODE")
    free_bits = None if what_if is None else free_bits_to_try(what_if)
    if output_format is OutputFormat.html and len(run) > 1:
        raise ConfigError("--format html takes one run: give one RUN, or use markdown")
    options, limits = log_options(
        maps=maps or (),
        steps_per_epoch=steps_per_epoch,
        pattern=pattern,
        config=config,
        overrides=overrides or (),
    )
    judged: list[tuple[History, Diagnosis, KLHealthThresholds, WhatIf | None]] = []
    for path in run:
        history = read_log(path, options)
        thresholds, notes = resolved_thresholds(history.header.thresholds, limits)
        found = diagnose(
            history.header, history.records, thresholds, notes=(*history.notes, *notes)
        )
        tried = (
            None
            if free_bits is None
            else what_if_free_bits(history.header, history.records, free_bits, thresholds)
        )
        judged.append((history, found, thresholds, tried))
    _write(output_format, judged, out)
    if fail_on is not None and any(found.is_at_least(fail_on.value) for _, found, _, _ in judged):
        raise typer.Exit(FINDINGS_EXIT_CODE)


def _explain(code: str, overrides: Sequence[str]) -> None:
    from latentvqa.core.diagnosis import RULES
    from latentvqa.core.explanations import explained
    from latentvqa.core.threshold_overrides import resolved_thresholds

    thresholds, _ = resolved_thresholds({}, overrides)
    typer.echo(explained(code, RULES, thresholds))


def _write(
    output_format: OutputFormat,
    judged: list[tuple[History, Diagnosis, KLHealthThresholds, WhatIf | None]],
    out: Path | None,
) -> None:
    if output_format is OutputFormat.table:
        _write_tables(judged, out)
        return
    if output_format is OutputFormat.json:
        from latentvqa.report.diagnosis_json import diagnosis_json, diagnosis_object

        text = diagnosis_json([diagnosis_object(run, d, tried) for run, d, _, tried in judged])
    elif output_format is OutputFormat.markdown:
        from latentvqa.report.markdown import diagnosis_markdown

        text = "\n".join(diagnosis_markdown(run, d, tried) for run, d, _, tried in judged)
    else:
        from latentvqa.report.page import render_report

        history, found, thresholds, tried = judged[0]
        config = history.path.parent / "config.toml"
        text = render_report(
            history,
            found,
            config.read_text(encoding="utf-8", errors="replace") if config.is_file() else None,
            what_if=tried,
            thresholds=thresholds,
        )
    if out is None:
        typer.echo(text.rstrip("\n"))
    else:
        _save(out, text.rstrip("\n") + "\n")


def _write_tables(
    judged: list[tuple[History, Diagnosis, KLHealthThresholds, WhatIf | None]], out: Path | None
) -> None:
    from io import StringIO

    from rich.console import Console

    from latentvqa.report.tables import epoch_table, findings_table, verdict_panel

    captured = StringIO()
    console = Console() if out is None else Console(file=captured, width=PLAIN_WIDTH)
    for history, found, _, tried in judged:
        if history.records:
            console.print(epoch_table(history.header, history.records, console.width))
        if found.findings:
            console.print(findings_table(found))
        console.print(verdict_panel(found))
        if tried is not None:
            console.print(tried.sentence, markup=False, highlight=False)
    if out is not None:
        _save(out, captured.getvalue())


def _save(path: Path, text: str) -> None:
    from latentvqa.durable import replace_file
    from latentvqa.errors import HistoryError

    try:
        replace_file(path, text.encode("utf-8"))
    except OSError as error:
        raise HistoryError(f"cannot write {path}: {error.strerror}") from error
