"""``latentvqa.evaluate``: scores with intervals, priors and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from latentvqa.engine.complete_run import Run
from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.evaluation.evaluate import Evaluation
from latentvqa.engine.runtime.observer import Observer
from latentvqa.stopping import usual_interrupts


def evaluate(
    run: Run | Path | str,
    data: Path | str | None = None,
    images: Path | str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    latent_use: bool = False,
    margin: float | None = None,
    samples: int = 0,
    batch_size: int = 640,
    skip_bad_images: bool = False,
    device: str = "auto",
    observer: Observer | None = None,
) -> Evaluation:
    """Score a model on a table by free generation, and write the result into its run folder.

    Args:
        run: a finished run, a run folder (its best checkpoint), or ``RUN/last``.
        data: the table; by default the run's validation split.
        images: images folder of ``data``; by default the run's.
        columns: columns of ``data`` where they differ, as ``{"image": "img_id"}``.
        latent_use: interfere with latent, image and question, and say if they
            matter.
        margin: exact match, as a fraction, within which an exchange counts as
            harmless; the run's by default.
        samples: latent samples to answer from; 0 answers from the mean.
        batch_size: questions per batch.
        skip_bad_images: drop questions about unreadable images.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        observer: receives notices and progress; nobody by default.

    Returns:
        Measures, priors, question types, answers and their confidence.

    Raises:
        ConfigError: if columns are given without a table, or a margin without the
            latent-use test.
        CheckpointError: if checkpoint or validation table cannot be read.
        DataError: if table or images cannot be used.
        KeyboardInterrupt: at Ctrl-C; nothing is written then.
    """
    request = EvaluationRequest(
        run=run.folder if isinstance(run, Run) else Path(run),
        data=None if data is None else Path(data),
        images=None if images is None else Path(images),
        columns=columns,
        is_latent_use_examined=latent_use,
        margin=margin,
        samples=samples,
        batch_size=batch_size,
        skip_bad_images=skip_bad_images,
        device=device,
    )
    with usual_interrupts():
        return evaluate_run(request, observer or Observer())[0]
