"""``latentvqa evaluate``: score a model on a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from latentvqa.data.tables import QuestionTable


def evaluate(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder (its best), RUN/last, RUN/best.")
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="Table; default: the validation split."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="Images folder; default: the run's."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME=COLUMN", help="Column of --data, as image=img_id."),
    ] = None,
    latent_use: Annotated[
        bool,
        typer.Option(
            "--latent-use", help="Interfere with latent, image and question; say if they matter."
        ),
    ] = False,
    samples: Annotated[
        int, typer.Option(min=0, help="Answer from N latent samples; 0: from the mean.")
    ] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions per batch.")] = 640,
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Drop questions about unreadable images.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score by free generation, with intervals, types and image-blind priors."""
    from rich.console import Console

    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.evaluation.evaluate import evaluate as run_evaluation
    from latentvqa.engine.evaluation.files import evaluation_json, write_evaluation
    from latentvqa.engine.runs.folder import evaluation_folder, read_config, run_of
    from latentvqa.engine.runs.loading import load_model
    from latentvqa.engine.runs.tables import validation_table
    from latentvqa.engine.runtime.signals import Interrupted, StopFlag
    from latentvqa.errors import ConfigError
    from latentvqa.report.evaluation.scores import score_panel

    if data is None and (images is not None or columns):
        raise ConfigError("--images and --column belong to a table: name it with --data FILE")
    with ProgressLine() as line, StopFlag() as stop:
        observer = NoticeObserver(line)
        loaded = load_model(run, device)
        for note in loaded.notes:
            observer.notice(f"warning: {note}")
        if data is None:
            table = validation_table(run)
            skip_bad_images |= read_config(run_of(run)).data.on_bad_image == "skip"
        else:
            table = _read(run, data, images, columns or [])
        try:
            found = run_evaluation(
                loaded,
                table,
                observer,
                run=run,
                samples=samples,
                batch_size=batch_size,
                skip_bad_images=skip_bad_images,
                latent_use="full" if latent_use else "none",
                is_calibrating=data is None and loaded.logit_temperature is None,
                poll=stop.poll,
            )
        except Interrupted as interrupted:
            raise typer.Exit(interrupted.exit_code) from interrupted
    folder = evaluation_folder(run_of(run), data, loaded.folder.name)
    write_evaluation(found, folder)
    if as_json:
        typer.echo(json.dumps(evaluation_json(found), indent=1, ensure_ascii=False))
        return
    screen = Console()
    screen.print(score_panel(evaluation_json(found), screen.width))
    screen.print(f"written to {folder}", highlight=False, markup=False, soft_wrap=True)


def _read(run: Path, data: Path, images: Path | None, columns: list[str]) -> QuestionTable:
    from latentvqa.config import Data
    from latentvqa.data.tables import read_questions
    from latentvqa.engine.runs.folder import CONFIG_FILE, read_config, run_of
    from latentvqa.errors import ConfigError

    folder = run_of(run)
    # a checkpoint that was copied out of its run has no config beside it
    known = read_config(folder).data if (folder / CONFIG_FILE).exists() else Data()
    mapping = dict(known.columns)
    for text in columns:
        name, equals, column = text.partition("=")
        if not equals or not name or not column:
            raise ConfigError(f"--column {text}: write it as image=img_id")
        mapping[name] = column
    return read_questions(
        data,
        columns=mapping,
        images=images if images is not None else known.images,
        allow_outside=known.allow_outside,
    )
