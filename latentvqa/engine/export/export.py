"""A trained model as a folder of files that run without this package.

``encoder.onnx`` and ``decoder.onnx`` compute, ``model.json`` and the vocabulary say
what goes in and what comes out. All are made before the first is written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentvqa import __version__
from latentvqa.core.summed_text import with_sum
from latentvqa.data.tokenizer import BOS, EOS, PAD
from latentvqa.durable import create_file, unfinished_name, write_synced
from latentvqa.engine.export.graphs import Graphs, export_graphs, require_exportable
from latentvqa.engine.export.vocabularies import VOCABULARY_FILES, Vocabularies, vocabularies_of
from latentvqa.engine.runs.folder import RunFolder, run_of
from latentvqa.engine.runs.loading import LoadedModel
from latentvqa.engine.runs.tables import files_of
from latentvqa.errors import OutputError
from latentvqa.outputs import NamedOutput
from latentvqa.stopping import deferred
from latentvqa.sums import sum_of

SCHEMA = 1
ENCODER_FILE, DECODER_FILE, MODEL_FILE = "encoder.onnx", "decoder.onnx", "model.json"
_FILES = (ENCODER_FILE, DECODER_FILE, *VOCABULARY_FILES, MODEL_FILE)
_WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: in the order of reading.
        latents_difference: largest difference of a latent from PyTorch's.
        logits_difference: the same of a logit.
    """

    files: tuple[Path, ...]
    latents_difference: float
    logits_difference: float


def require_free(folder: Path, run: Path, *, overwrite: bool) -> None:
    """Refuse a folder that must not or cannot be written into, before any work is done.

    Args:
        folder: where the files are to go; what else lies there stays.
        run: the run that is exported.
        overwrite: whether the files of an earlier export may be replaced.

    Raises:
        OutputError: saying what is in the way, and what to do.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(f"--out {folder}: is a file. Name a folder.")
    # files of checkpoints have the same names
    real = folder.resolve()
    is_checkpoints = real == RunFolder(real.parent).checkpoints
    of_run = real.parent if is_checkpoints else RunFolder.holding(real).path
    if RunFolder(of_run).is_there:
        raise OutputError(f"--out {folder}: is of a run. Name a folder of its own.")
    if folder.is_dir():
        for name in _FILES:
            NamedOutput("--out", folder / name, overwrite).require_writable(files_of(run))
        return
    above = next(one for one in folder.absolute().parents if os.path.lexists(one))
    try:
        probe = unfinished_name(above / folder.name)
        create_file(probe).close()
        probe.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error


def export_model(
    loaded: LoadedModel,
    folder: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda part: None,
) -> Exported:
    """Write a model as ONNX with all that is needed to ask it.

    Args:
        loaded: the model, on the CPU.
        folder: made where it is not there.
        overwrite: whether the files of an earlier export may be replaced.
        progress: told what is done next.

    Raises:
        CheckpointError: if the model cannot be exported; nothing is written then.
        OutputError: if it cannot be written.
    """
    source = loaded.folder
    require_exportable(loaded.model, source)
    vocabularies = vocabularies_of(loaded.tokenizers, source)
    progress("exporting the model to ONNX, and comparing it with PyTorch")
    graphs = export_graphs(loaded.model, source)
    contents = {
        ENCODER_FILE: graphs.encoder,
        DECODER_FILE: graphs.decoder,
        **vocabularies.files,
    }
    facts = _facts(loaded, graphs, vocabularies)
    facts["files"] = {name: hashlib.sha256(one).hexdigest() for name, one in contents.items()}
    text = json.dumps(facts, ensure_ascii=False, indent=1).encode()
    contents[MODEL_FILE] = with_sum(text) + b"\n"
    _write(folder, contents, overwrite)
    return Exported(
        tuple(folder / name for name in contents),
        graphs.latents_difference,
        graphs.logits_difference,
    )


def _facts(loaded: LoadedModel, graphs: Graphs, vocabularies: Vocabularies) -> dict[str, Any]:
    """What a program must know that runs the two graphs."""
    spec, preparation = loaded.spec, loaded.model.vision.preparation
    has_latent = loaded.model.bottleneck is not None
    return {
        "schema": SCHEMA,
        "made_by": f"latentvqa {__version__}",
        "source": {
            "run": run_of(loaded.folder).resolve().name,
            "checkpoint": loaded.folder.name,
            "weights_sha256": sum_of(loaded.folder / _WEIGHTS),
        },
        "image": {
            "size": preparation.size,
            "resampling": preparation.interpolation,
            "mean": list(preparation.mean),
            "std": list(preparation.std),
            "normalised_by": ENCODER_FILE,
        },
        "question": {**vocabularies.question, "padding": PAD, "longest": spec.max_question_tokens},
        "latents": {
            "kind": spec.bottleneck,
            "tokens": spec.latent_tokens if has_latent else loaded.model.vision.patches + 1,
            "dims": spec.latent_dims if has_latent else spec.width,
        },
        "answer": {
            **vocabularies.answer,
            "padding": PAD,
            "begin": BOS,
            "end": EOS,
            "longest": loaded.model.decoder.max_tokens,
            "logit_temperature": loaded.logit_temperature or 1.0,
        },
        "largest_difference": {
            "latents": graphs.latents_difference,
            "logits": graphs.logits_difference,
        },
    }


def _write(folder: Path, contents: Mapping[str, bytes], overwrite: bool) -> None:
    """Write all files aside, then give each its name; after a fault none has it."""
    is_new = not folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        with deferred(), ExitStack() as drafts:
            # named one after the other at the end, the last of them first
            for name, content in reversed(list(contents.items())):
                output = NamedOutput("--out", folder / name, overwrite)
                write_synced(drafts.enter_context(output.draft()), content)
    except BaseException:
        if is_new:
            with suppress(OSError):  # what came into it meanwhile stays
                folder.rmdir()
        raise


def _unwritable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"--out {folder}: cannot be written: {error.strerror or error}")
