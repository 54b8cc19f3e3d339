"""``latentvqa predict``: answer questions about pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.cli.column_options import ColumnOption, columns_of
from latentvqa.cli.prediction_files import Format, RowStyle, format_of
from latentvqa.cli.usage_hints import TABLES
from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.cli.console import NoticeObserver
    from latentvqa.cli.prediction_outputs import PredictionOutputs
    from latentvqa.engine.prediction.asking import Asking
    from latentvqa.engine.prediction.predict import Prediction
    from latentvqa.engine.runs.loading import LoadedModel


def predict(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder (its best), RUN/last, RUN/best.")
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGES...",
            help="Pictures, folders, .zip or .tar archives, .txt files with a path a line.",
        ),
    ],
    question: Annotated[
        list[str] | None,
        typer.Option("--question", metavar="TEXT", help="Ask this; may be repeated."),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Ask every line of a text file."),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs", metavar="TABLE", help="Ask the rows of a table: image, question, perhaps id."
        ),
    ] = None,
    columns: ColumnOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help=".csv, .jsonl or .json; default: CSV on stdout."
        ),
    ] = None,
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="csv, jsonl, or vqa: question_id and answer, as the VQA challenge has them.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="A page with the pictures and answers."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the rows that an earlier call wrote.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="Answer the I-th of N equal parts, as 2/8."),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", help="Choose from these answers, one a line."),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Answer from N latent samples; 0: from the mean."),
    ] = 0,
    top: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=100, help="Give N likely answers, each with its confidence."
        ),
    ] = 1,
    explain: Annotated[
        Path | None,
        typer.Option(
            "--explain", metavar="DIR", help="Pictures of where each latent token looked."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of --out, --html and --explain.")
    ] = False,
    escape_formulas: Annotated[
        bool,
        typer.Option(
            "--escape-formulas", help="Put ' before CSV cells that a spreadsheet would compute."
        ),
    ] = False,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps.")
    ] = "auto",
) -> None:
    """Answer questions about pictures; a bad one becomes a row with its error.

    Example: latentvqa predict runs/run photos --question "what colour is it?" --html answers.html
    """
    from latentvqa.data.table_files import require_table
    from latentvqa.engine.prediction.asking import parse_shard, read_answer_lines
    from latentvqa.engine.runs.saved_checkpoints import checkpoint_candidates
    from latentvqa.errors import ConfigError
    from latentvqa.outputs import NamedOutput

    # what is wrong with the words of the call is told before the seconds that PyTorch takes
    part = (1, 1) if shard is None else parse_shard(shard)
    format_ = format_of(out, format_)
    if html is not None:
        NamedOutput("--html", html).require_suffix(".html", ".htm")
    texts = _questions(question or [], questions, pairs, images)
    checkpoint_candidates(run)
    if pairs is not None:
        if len(images) != 1:
            raise ConfigError("--pairs names its images: give the one folder that they are in")
        require_table(pairs)
    if resume and out is not None and out.is_file() and not overwrite:
        say(f"{out} is there already, and nothing of it is left to do", is_notice=True)
        return
    allowed = [] if answers is None else read_answer_lines(answers)

    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.cli.prediction_outputs import PredictionOutputs
    from latentvqa.engine.prediction.predict import PredictionSettings
    from latentvqa.engine.prediction.predict import predict as run_prediction
    from latentvqa.engine.prediction.request import request_hash
    from latentvqa.engine.runs.loading import load_model
    from latentvqa.engine.runs.tables import files_of

    settings = PredictionSettings(
        samples=samples,
        top=top,
        answers=allowed,
        is_explained=explain is not None,
        keeps_pictures=html is not None,
    )
    with ProgressLine() as line:
        observer = NoticeObserver(line)
        asking = _asking(run, images, texts, pairs, columns_of(columns), observer)
        style = RowStyle(format_, bool(asking.ids), top, escape_formulas)
        outputs = PredictionOutputs(
            asking,
            style,
            out=out,
            html=html,
            explain=explain,
            overwrite=overwrite,
            is_resumed=resume,
        )
        named = [one for one in (questions, pairs, answers) if one is not None]
        outputs.require_writable([*images, *files_of(run), *named])
        loaded = load_model(run, device)
        for note in loaded.notes:
            observer.notice(f"warning: {note}")
        rows = asking.shard(*part)
        known = outputs.find_earlier(request_hash(loaded, asking, rows, settings, repr(style)))
        predictions = run_prediction(
            loaded, asking, rows[known:], settings, partial(observer.progress, "questions")
        )
        _write(predictions, outputs, rows[:known], loaded, observer)
    say(outputs.summary(), is_notice=True)


def _write(
    predictions: Iterable[Prediction],
    outputs: PredictionOutputs,
    earlier: range,
    loaded: LoadedModel,
    observer: NoticeObserver,
) -> None:
    from latentvqa.errors import LatentVQAError
    from latentvqa.stopping import Interrupted, undisguised

    try:
        with undisguised(), outputs.open(earlier, loaded) as write:
            for prediction in predictions:
                write(prediction)
    except Interrupted:
        observer.notice(f"interrupted after {outputs.whereabouts()}")
        raise
    except LatentVQAError:
        if outputs.written:
            observer.notice(f"stopped after {outputs.whereabouts()}")
        raise


def _questions(
    texts: list[str], file: Path | None, pairs: Path | None, images: Sequence[Path]
) -> list[str]:
    from latentvqa.data.cells import clean_text
    from latentvqa.engine.prediction.asking import read_question_lines
    from latentvqa.errors import ConfigError

    if pairs is not None:
        if texts or file is not None:
            raise ConfigError("--pairs brings its questions: drop --question and --questions")
        return []
    given = [text.encode("utf-8", "replace").decode() for text in texts]
    asked = [text.strip() for text in given if clean_text(text)]
    if file is not None:
        asked += read_question_lines(file)
    if not asked:
        raise ConfigError(_nothing_asked(images))
    return asked


def _nothing_asked(images: Sequence[Path]) -> str:
    """What to write; a question or a table that stands among the images is recognised."""
    *others, last = images
    if others and last.suffix.lower() in TABLES:
        return f"nothing is asked: write --pairs {quote(str(last))}"
    if others and not last.exists() and (" " in str(last) or str(last).endswith("?")):
        return f"nothing is asked: write --question {quote(str(last))}"
    return "nothing is asked: give --question TEXT, --questions FILE or --pairs TABLE"


def _asking(
    run: Path,
    images: list[Path],
    texts: list[str],
    pairs: Path | None,
    columns: dict[str, str],
    observer: NoticeObserver,
) -> Asking:
    from latentvqa.data.folders.pictures import find_pictures
    from latentvqa.data.tables import read_questions
    from latentvqa.engine.prediction.asking import Asking, asking_of_table
    from latentvqa.engine.runs.folder import run_of
    from latentvqa.engine.runs.tables import column_names, known_sum
    from latentvqa.errors import ConfigError

    if pairs is None:
        if columns:
            raise ConfigError("--column names a column of --pairs: give that table")
        found = find_pictures(images)
        if found.left_out:
            observer.notice(f"no images, left out: {found.left_out_text}")
        return Asking(found.pictures, texts)
    table = read_questions(
        pairs,
        columns=columns,
        usual_columns=column_names(run),
        images=images[0],
        require_answers=False,
    )
    for note in table.notes:
        observer.notice(note)
    if table.sha256 == known_sum(run_of(run), "train"):
        observer.notice(
            f"warning: {run} was trained on rows of {pairs}: answers to them say little of new ones"
        )
    return asking_of_table(table)
