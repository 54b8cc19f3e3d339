"""The command line: parses, delegates, exits. Nothing heavy is imported at the top."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from latentvqa.cli.commands.ablate import ablate
from latentvqa.cli.commands.data import app as data_app
from latentvqa.cli.commands.demo import demo
from latentvqa.cli.commands.diagnose_kl import diagnose_kl
from latentvqa.cli.commands.docs import docs
from latentvqa.cli.commands.doctor import doctor
from latentvqa.cli.commands.evaluate import evaluate
from latentvqa.cli.commands.export import export
from latentvqa.cli.commands.init import init
from latentvqa.cli.commands.predict import predict
from latentvqa.cli.commands.presets import presets
from latentvqa.cli.commands.report import report
from latentvqa.cli.commands.runs import runs
from latentvqa.cli.commands.train import train
from latentvqa.cli.help_screens import Command, Group
from latentvqa.cli.streams import steady_notices, told_stdout
from latentvqa.errors import LatentVQAError, memory_fault
from latentvqa.report.text import say
from latentvqa.stopping import Interrupted, heard_signals, undisguised

app = typer.Typer(
    name="latentvqa",
    cls=Group,
    help="Train visual question answering through a variational latent bottleneck, and know "
    "whether the latent works.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init", cls=Command)(init)
app.command("train", cls=Command)(train)
app.command("evaluate", cls=Command)(evaluate)
app.command("diagnose-kl", cls=Command)(diagnose_kl)
app.command("predict", cls=Command)(predict)
app.command("demo", cls=Command)(demo)
app.command("export", cls=Command)(export)
app.command("report", cls=Command)(report)
app.command("runs", cls=Command)(runs)
app.command("ablate", cls=Command)(ablate)
app.command("presets", cls=Command)(presets)
app.add_typer(data_app, name="data")
app.command("docs", cls=Command)(docs)
app.command("doctor", cls=Command)(doctor)


def main() -> None:
    """Run the command line; every error of a user ends in one message."""
    with heard_signals(), steady_notices():
        _run()


def _run() -> None:
    try:
        with told_stdout(), undisguised():
            app()
    except LatentVQAError as error:
        say(f"error: {error}", is_notice=True)
        sys.exit(error.exit_code)
    except Interrupted as interrupted:
        sys.exit(interrupted.exit_code)
    except BrokenPipeError:
        sys.exit(1)  # the reader of our output has gone; there is nobody to tell
    except OSError as error:
        # a full disk, a read-only folder: the system names file and cause
        say(f"error: {error}", is_notice=True)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if not (told := memory_fault(error)):
            raise
        say(f"error: {told}", is_notice=True)
        sys.exit(1)


def _show_version(wanted: bool) -> None:
    if wanted:
        from latentvqa import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the program itself."""
