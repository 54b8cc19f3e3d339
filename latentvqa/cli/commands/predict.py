"""``latentvqa predict``: answer questions about a folder of images."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from latentvqa.report.text import say


def predict(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder (its best), RUN/last, RUN/best.")
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="IMAGE_FOLDER", help="Images, sub-folders included.")
    ],
    question: Annotated[
        list[str] | None,
        typer.Option("--question", metavar="TEXT", help="Ask this; may be repeated."),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Ask every line of a text file."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=".csv or .jsonl; default: CSV on stdout."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Answer from N latent samples; 0: from the mean.")
    ] = 0,
    top: Annotated[
        int,
        typer.Option(min=1, max=100, help="Give N likely answers, each with its confidence."),
    ] = 1,
    explain: Annotated[
        Path | None,
        typer.Option(
            "--explain", metavar="DIR", help="Pictures of where each latent token looked."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out, pictures of --explain.")
    ] = False,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas", help="Put ' before CSV cells that a spreadsheet would compute."
        ),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Answer every question about every image; a bad image becomes a row with its error."""
    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.cli.prediction_files import PredictionFile
    from latentvqa.data.folders.search import images_below
    from latentvqa.engine.prediction.pictures import PredictionPictures, require_free
    from latentvqa.engine.prediction.predict import predict as run_prediction
    from latentvqa.engine.runs.loading import load_model
    from latentvqa.engine.runs.tables import files_of
    from latentvqa.errors import LatentVQAError
    from latentvqa.outputs import NamedOutput
    from latentvqa.stopping import Interrupted, undisguised

    asked = _asked(question or [], questions)
    file = PredictionFile(
        None if out is None else NamedOutput("--out", out, overwrite),
        escapes_formulas=escape_formulas,
        top=top,
    )
    read = [folder, *files_of(run), *([] if questions is None else [questions])]
    file.require_writable(read)
    images = images_below(folder)
    failed = noted = 0
    with ProgressLine() as line:
        observer = NoticeObserver(line)
        loaded = load_model(run, device)
        for note in loaded.notes:
            observer.notice(f"warning: {note}")
        if images.left_out:
            observer.notice(f"no images, left out: {images.left_out_text}")

        pictures = None
        if explain is not None:
            names = [image.relative_to(folder).as_posix() for image in images.paths]
            require_free(explain, folder, names, read, overwrite=overwrite)
            pictures = PredictionPictures(explain, folder, loaded.model.vision.grid)

        predictions = run_prediction(
            loaded,
            folder,
            images.paths,
            asked,
            samples=samples,
            top=top,
            is_explained=pictures is not None,
            on_images=partial(observer.progress, "images"),
        )
        try:
            with undisguised(), file.open() as write:
                for prediction in predictions:
                    write(prediction)
                    if pictures is not None:
                        pictures.add(prediction)
                    failed += bool(prediction.error)
                    noted += bool(prediction.note)
                if pictures is not None:
                    pictures.finish()
        except Interrupted:
            observer.notice(f"interrupted after {file.whereabouts()}")
            raise
        except LatentVQAError:
            if file.written:
                observer.notice(f"stopped after {file.whereabouts()}")
            raise
    summary = f"{file.written} rows, {failed} with errors"
    if noted:
        summary += f", {noted} whose question was cut or has words that training never had"
    say(f"{summary}, in {out}" if out else summary, is_notice=True)


def _asked(texts: list[str], file: Path | None) -> list[str]:
    from latentvqa.data.cells import clean_text
    from latentvqa.engine.prediction.predict import read_question_lines
    from latentvqa.errors import ConfigError

    given = [text.encode("utf-8", "replace").decode() for text in texts]
    asked = [text.strip() for text in given if clean_text(text)]
    if file is not None:
        asked += read_question_lines(file)
    if not asked:
        raise ConfigError("nothing is asked: give --question TEXT or --questions FILE")
    return asked
