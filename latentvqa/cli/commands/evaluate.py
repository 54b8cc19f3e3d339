"""``latentvqa evaluate``: score a model on a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.cli.column_options import ColumnOption, columns_of

if TYPE_CHECKING:
    from latentvqa.engine.evaluation.evaluate import Evaluation


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
    columns: ColumnOption = None,
    latent_use: Annotated[
        bool,
        typer.Option(
            "--latent-use", help="Interfere with latent, image and question; say if they matter."
        ),
    ] = False,
    margin: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Exact match, as a fraction, within which an exchange counts as harmless; "
            "default: the run's latent_use.margin (0.01).",
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Answer from N latent samples; 0: from the mean."),
    ] = 0,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Questions per batch.")] = 640,
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Drop questions about unreadable images.")
    ] = False,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas",
            help="Put ' before cells of predictions.csv that a spreadsheet would compute.",
        ),
    ] = False,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score by free generation, with intervals, types and image-blind priors.

    Example: latentvqa evaluate runs/run --data test.csv --images photos --latent-use
    """
    from latentvqa.data.table_files import require_table
    from latentvqa.engine.runs.saved_checkpoints import checkpoint_candidates

    # before the seconds that PyTorch takes
    checkpoint_candidates(run)
    if data is not None:
        require_table(data)

    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.cli.streams import require_written, steady
    from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
    from latentvqa.engine.evaluation.files import evaluation_json
    from latentvqa.report.console import PlainConsole
    from latentvqa.report.evaluation.scores import score_panel
    from latentvqa.report.text import json_text

    request = EvaluationRequest(
        run=run,
        data=data,
        images=images,
        columns=columns_of(columns),
        is_latent_use_examined=latent_use,
        margin=margin,
        samples=samples,
        batch_size=batch_size,
        skip_bad_images=skip_bad_images,
        device=device,
        escapes_formulas=escape_formulas,
    )
    screen = PlainConsole(file=steady(sys.stdout))

    class Shown(NoticeObserver):
        def evaluated(self, evaluation: Evaluation) -> None:
            self.line.progress.stop()
            if as_json:
                print(json_text(evaluation_json(evaluation.result)), file=screen.file)
            else:
                screen.print(score_panel(evaluation.result, screen.width))

    with ProgressLine() as line:
        _, folder = evaluate_run(request, Shown(line))
    if folder is not None and not as_json:
        screen.print(f"written to {folder}", highlight=False, markup=False, soft_wrap=True)
    require_written(screen.file)
