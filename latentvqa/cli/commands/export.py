"""``latentvqa export``: a trained model as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentvqa.report.text import say


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder (its best), RUN/last, RUN/best.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of an earlier export.")
    ] = False,
) -> None:
    """Write a model as ONNX, to run it without PyTorch.

    Example: latentvqa export runs/run --out onnx
    """
    from latentvqa.engine.export.packages import require_packages

    require_packages()  # before what takes seconds to load

    from latentvqa.cli.console import NoticeObserver, ProgressLine
    from latentvqa.engine.export.export import export_model, require_free
    from latentvqa.engine.runs.loading import load_model

    require_free(out, run, overwrite=overwrite)
    with ProgressLine() as line:
        observer = NoticeObserver(line)
        loaded = load_model(run, "cpu")
        for note in loaded.notes:
            observer.notice(f"warning: {note}")
        done = export_model(loaded, out, overwrite=overwrite, progress=observer.notice)
    for path in done.files:
        say(f"written   {path}  {path.stat().st_size / 1e6:,.1f} MB")
    say(
        f"compared  with PyTorch: latents differ by at most {done.latents_difference:.1e}, logits "
        f"by {done.logits_difference:.1e}"
    )
