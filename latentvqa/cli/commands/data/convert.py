"""``latentvqa data convert``: published data sets and folders as question tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from latentvqa.cli.help_screens import Command, Group
from latentvqa.core.figures import counted
from latentvqa.outputs import NamedOutput
from latentvqa.report.text import say

if TYPE_CHECKING:
    from latentvqa.data.converters.rows import ConvertedRow

SHOWN = 10

app = typer.Typer(
    cls=Group,
    help="Turn a published data set or a folder layout into a question table.",
    no_args_is_help=True,
)
Out = Annotated[
    Path,
    typer.Option("--out", metavar="TABLE", help="Table to write: .csv, .tsv, .jsonl, .parquet."),
]
Images = Annotated[
    Path | None, typer.Option("--images", metavar="DIR", help="Tell which images are not there.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the table.")]
Questions = Annotated[
    Path, typer.Option("--questions", metavar="FILE", help="The data set's file of questions.")
]


@app.command("vqa-v2", cls=Command)
def vqa_v2(
    questions: Questions,
    out: Out,
    annotations: Annotated[
        Path | None,
        typer.Option("--annotations", metavar="FILE", help="Ten answers each; none for test sets."),
    ] = None,
    images: Images = None,
    overwrite: Overwrite = False,
) -> None:
    """VQA v1 and v2: all ten answers stay as references."""
    from latentvqa.data.converters.vqa_v2 import read_vqa_v2

    read = partial(read_vqa_v2, questions, annotations)
    inputs = [questions] if annotations is None else [questions, annotations]
    _write(read, inputs, NamedOutput("--out", out, overwrite), images)


@app.command("gqa", cls=Command)
def gqa(
    questions: Questions, out: Out, images: Images = None, overwrite: Overwrite = False
) -> None:
    """GQA: a file of questions, or a folder of several."""
    from latentvqa.data.converters.gqa import read_gqa

    _write(partial(read_gqa, questions), [questions], NamedOutput("--out", out, overwrite), images)


@app.command("clevr", cls=Command)
def clevr(
    questions: Questions, out: Out, images: Images = None, overwrite: Overwrite = False
) -> None:
    """CLEVR: images are those of images/SPLIT."""
    from latentvqa.data.converters.clevr import read_clevr

    _write(
        partial(read_clevr, questions), [questions], NamedOutput("--out", out, overwrite), images
    )


@app.command("easy-vqa", cls=Command)
def easy_vqa(
    questions: Questions, out: Out, images: Images = None, overwrite: Overwrite = False
) -> None:
    """easy-VQA: questions.json of a split."""
    from latentvqa.data.converters.easy_vqa import read_easy_vqa

    _write(
        partial(read_easy_vqa, questions), [questions], NamedOutput("--out", out, overwrite), images
    )


@app.command("folders", cls=Command)
def folders(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of images per answer.")],
    out: Out,
    question: Annotated[
        str, typer.Option("--question", metavar="TEXT", help="Asked of every image.")
    ] = "What is shown?",
    overwrite: Overwrite = False,
) -> None:
    """A folder of images for each answer; the folder's name is the answer."""
    from latentvqa.data.converters.folders import read_folders

    tell = partial(say, is_notice=True)
    output = NamedOutput("--out", out, overwrite)
    _write(partial(read_folders, root, question, tell), [root], output, root)


def _write(
    read: Callable[[], list[ConvertedRow]],
    sources: Sequence[Path],
    output: NamedOutput,
    images: Path | None,
) -> None:
    from latentvqa.data.converters.rows import check_rows, missing_images, require_table, write_rows

    out = output.path
    require_table(output, [*sources, *([] if images is None else [images])])
    rows = read()
    check_rows(sources[0], rows)
    missing = missing_images(rows, images) if images is not None else []
    write_rows(output, rows)
    if missing:
        more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
        say(
            f"warning: {counted(len(missing), 'image')} not in {images}: "
            f"{', '.join(missing[:SHOWN])}{more}",
            is_notice=True,
        )
    distinct = len({row.image for row in rows})
    say(f"{out}: {counted(len(rows), 'question')} on {counted(distinct, 'image')}")
    if not rows[0].answers:
        say("It has no answers: train and evaluate need some.")
        return
    folder = "DIR" if images is None else quote(str(images))
    say(f"Next: latentvqa data audit {quote(str(out))} --images {folder}")
