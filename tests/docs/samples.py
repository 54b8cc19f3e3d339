"""Sample output and lists in README and manual, made by the package itself.

What takes a training starts from a recorded run: its log and its evaluation in
``tests/fixtures``. Everything else is run as a user would.
"""

from __future__ import annotations

import inspect
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import typer
from pydantic import TypeAdapter
from rich.console import Console

import latentvqa
from latentvqa.cli import app, main
from latentvqa.cli.commands.docs import manual_pages
from latentvqa.core.results.evaluation import EvaluationResult
from latentvqa.engine.prediction.predict import Prediction
from tests.benchmarks import tables as benchmarks

FIXTURES = Path(__file__).parents[1] / "fixtures"
LOG = FIXTURES / "quickstart_metrics.jsonl"
EVALUATION = FIXTURES / "quickstart_evaluation.json"
CORPUS = Path(__file__).parents[1] / "corpus" / "logs"
WIDTH = 80
DIAGNOSED = "runs/quickstart"


def quickstart() -> str:
    """The epochs and the verdict that end the first training."""
    from latentvqa.core.diagnosis.diagnose import diagnose
    from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds
    from latentvqa.logs import read_log
    from latentvqa.report.diagnosis.tables import epoch_table, verdict_panel

    with _run_folder():
        history = read_log(Path(DIAGNOSED))
    thresholds, _ = resolved_thresholds(history.header.thresholds, ())
    found = diagnose(history.header, history.records, thresholds, notes=history.notes)
    return _screen(epoch_table(history.header, history.records, WIDTH), verdict_panel(found))


def diagnosis() -> str:
    """What the first run's log says."""
    with _run_folder():
        return _session("diagnose-kl", DIAGNOSED)


def collapsed() -> str:
    """The log of a script of one's own whose posterior has collapsed."""
    with _folder():
        shutil.copy(CORPUS / "vae-collapsed.csv", "log.csv")
        return _session("diagnose-kl", "log.csv")


def what_if() -> str:
    """The same run under another allowance: what follows the verdict."""
    with _run_folder():
        whole = _session("diagnose-kl", DIAGNOSED, "--what-if", "free_bits=0.02")
    command, _, output = whole.partition("\n")
    return f"{command}\n...\n{output[output.rindex('╯') + 1 :].strip(chr(10))}"


def explained() -> str:
    """A rule in words."""
    return _session("diagnose-kl", "--explain", "IN007")


def evaluation() -> str:
    """The first run's evaluation with all interventions, from its JSON."""
    from latentvqa.report.evaluation.scores import score_panel

    found = TypeAdapter(EvaluationResult).validate_json(EVALUATION.read_bytes())
    shown = _screen(score_panel(found, WIDTH))
    return (
        f"$ latentvqa evaluate {DIAGNOSED} --latent-use\n{shown}\n"
        f"written to {DIAGNOSED}/evaluations/validation"
    )


def predictions() -> str:
    """Rows as ``predict`` writes them, one of them about a broken image."""
    from latentvqa.cli.prediction_files import Format, PredictionFile, RowStyle

    question = "what color is the shape?"
    answers = [("0.png", "blue", 0.999881), ("1.png", "red", 0.999892)]
    rows = [Prediction(image, question, answer, sure, error="") for image, answer, sure in answers]
    error = "photos/2.png: not an image of the formats JPEG, PNG, WEBP, AVIF, BMP, GIF, TIFF"
    rows.append(Prediction("2.png", question, "", None, error))
    written = io.StringIO()
    with redirect_stdout(written), PredictionFile(None, RowStyle(Format.csv)).open() as write:
        for row in rows:
            write(row)
    lines = written.getvalue().replace("\r\n", "\n").rstrip("\n")
    return f'$ latentvqa predict runs/easy-vqa photos --question "{question}"\n{lines}'


def audit() -> str:
    """An audit of freshly drawn scenes."""
    with _folder():
        drawn = _session("data", "make-scenes", "scenes", "--images", "100", "--level", "easy")
        audited = _session("data", "audit", "scenes/questions.csv", "--images", "scenes/images")
    return f"{drawn}\n{audited}"


def commands() -> str:
    """Every command with the first sentence of its help."""
    rows = ["| command | what it does |", "|---|---|"]
    for name, command in command_tree():
        if name == "data" or name.count(" ") > 1:
            continue
        summary = (command.help or "").strip().partition("\n")[0]
        rows.append(f"| `latentvqa {name}` | {summary} |")
    return "\n".join(rows)


def columns() -> str:
    """Every column of the epoch table in words."""
    from latentvqa.report.diagnosis.columns import COLUMNS

    rows = ["| column | meaning |", "|---|---|"]
    for column in COLUMNS:
        title = column.title.replace("-\n", "").replace("\n", " ")
        rows.append(f"| {title} | {column.meaning} |")
    return "\n".join(rows)


def topics() -> str:
    """A link to every page of the manual."""
    linked = [f"[{topic}](latentvqa/docs/{topic}.md)" for topic in manual_pages()]
    return ",\n".join([*(", ".join(row) for row in _rows(linked, 4))]) + "."


def functions() -> str:
    """Every function of the package itself, with its arguments."""
    rows = ["| function | what it does |", "|---|---|"]
    for name in latentvqa.__all__:
        held = getattr(latentvqa, name)
        if inspect.isfunction(held):
            summary = inspect.cleandoc(held.__doc__ or "").partition("\n")[0]
            names = ", ".join(inspect.signature(held).parameters)
            rows.append(f"| `{name}({names})` | {summary} |")
    return "\n".join(rows)


def command_tree() -> list[tuple[str, Any]]:
    """Every command and every group of commands by the words that a user types."""

    def below(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for name, command in getattr(group, "commands", {}).items():
            yield f"{prefix}{name}", command
            yield from below(command, f"{prefix}{name} ")

    return list(below(typer.main.get_command(app), ""))


def _rows(items: list[str], length: int) -> Iterator[list[str]]:
    for start in range(0, len(items), length):
        yield items[start : start + length]


def _sample(make: Callable[[], str]) -> Callable[[], str]:
    return lambda: f"```console\n{make()}\n```"


SAMPLES: dict[str, Callable[[], str]] = {
    "quickstart": _sample(quickstart),
    "collapsed": _sample(collapsed),
    "diagnosis": _sample(diagnosis),
    "what-if": _sample(what_if),
    "explained": _sample(explained),
    "evaluation": _sample(evaluation),
    "predictions": _sample(predictions),
    "audit": _sample(audit),
}
LISTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "columns": columns,
    "functions": functions,
    "topics": topics,
    "results": lambda: benchmarks.front_page_table(benchmarks.controls_record()),
}


def _screen(*shown: Any) -> str:
    written = io.StringIO()
    Console(file=written, width=WIDTH).print(*shown, sep="\n")
    return _trimmed(written.getvalue())


def _session(*arguments: str) -> str:
    """A command as it is typed, and all that it prints."""
    written = io.StringIO()
    program = ["latentvqa", *arguments]
    wide = {"COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    with (
        mock.patch.object(sys, "argv", program),
        mock.patch.dict(os.environ, wide),
        redirect_stdout(written),
        redirect_stderr(written),
    ):
        try:
            main()
        except SystemExit as leaving:
            assert not leaving.code, written.getvalue()
    return f"$ {' '.join(program)}\n{_trimmed(written.getvalue())}"


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


@contextmanager
def _folder() -> Iterator[None]:
    """An empty working directory."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


@contextmanager
def _run_folder() -> Iterator[None]:
    """A working directory with the recorded run's log in it."""
    with _folder():
        Path(DIAGNOSED).mkdir(parents=True)
        shutil.copy(LOG, Path(DIAGNOSED) / "metrics.jsonl")
        yield
