"""``latentvqa demo``: a page in the browser that asks a model about a picture."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from latentvqa.report.text import say

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def demo(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder (its best), RUN/last, RUN/best.")
    ],
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Whom to serve; by default this machine alone.")
    ] = LOOPBACK[0],
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=65535, help="Port; by default the first free one from 7860."
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:1, mps.")
    ] = "auto",
) -> None:
    """Ask a model about pictures in the browser.

    Example: latentvqa demo runs/run
    """
    from latentvqa.cli.demo_page import build_page, require_gradio, served
    from latentvqa.engine.runs.saved_checkpoints import checkpoint_candidates

    require_gradio()
    checkpoint_candidates(run)  # before the seconds that PyTorch takes

    from latentvqa.cli.demo_questions import example_questions
    from latentvqa.library.answering import load

    model = load(run, device=device)
    for note in model.notes:
        say(f"warning: {note}", is_notice=True)
    examples, remark = example_questions(model.checkpoint)
    if remark:
        say(f"no examples are shown: {remark}", is_notice=True)
    if host not in LOOPBACK:
        say(f"warning: whoever reaches {host} can ask; there is no password", is_notice=True)
    with served(lambda folder: build_page(model, examples, folder), host, port) as address:
        say(f"open {address} in a browser; Ctrl-C ends it", is_notice=True)
        while True:  # a signal ends it
            time.sleep(0.2)
