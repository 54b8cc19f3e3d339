"""The process of one run: ``python -m latentvqa.engine.ablation.child FOLDER CONFIG ENDING``.

Trains or resumes the run in FOLDER, prints what happens, and writes into ENDING
how it ended, as JSON. A run that was interrupted has not ended. It is interrupted,
too, when stdin ends, for who started it is gone then.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from latentvqa.config import config_warnings, load_config
from latentvqa.engine.ablation.output import LinePrinter
from latentvqa.engine.ablation.runs import Ending, write_ending
from latentvqa.engine.complete_run import complete_run
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.training.resume import where_wanted
from latentvqa.errors import LatentVQAError, memory_fault
from latentvqa.report.text import escaped
from latentvqa.stopping import Interrupted, heard_signals, leave, undisguised


def run_to_end(folder: Path, config_file: Path, ending_file: Path) -> int:
    """Bring a run to its end, whatever that is.

    Args:
        folder: the run folder; resumed if it holds a ``last`` checkpoint.
        config_file: configuration of a new run; a resumed one takes from it where
            its data are now, and the scorer.
        ending_file: where the ending is written.

    Returns:
        The exit code.
    """
    printer = LinePrinter()
    try:
        with heard_signals(), undisguised():
            _run(folder, config_file, printer)
    except Interrupted as interrupted:
        printer.notice("interrupted" + ("; saved" if (folder / "last").exists() else ""))
        return interrupted.exit_code
    except (LatentVQAError, OSError) as error:
        code = error.exit_code if isinstance(error, LatentVQAError) else 1
        ending = Ending(code, escaped(str(error)), type(error).__name__)
        printer.notice(f"error: {ending.message}")
    except (MemoryError, RuntimeError) as error:
        if not (told := memory_fault(error)):
            raise
        ending = Ending(1, escaped(told), type(error).__name__)
        printer.notice(f"error: {ending.message}")
    else:
        ending = Ending(0)
    write_ending(ending_file, ending)
    return ending.exit_code


def _run(folder: Path, config_file: Path, printer: LinePrinter) -> None:
    config = load_config(config_file)
    if (folder / "last").is_file():
        known = where_wanted(read_config(folder), config)  # the ablation folder may have moved
        known = known.replace("loader", feature_folder=config.loader.feature_folder)
        complete_run(folder, known, printer, is_resumed=True, scorer=config.teacher.scorer)
        return
    shutil.rmtree(folder, ignore_errors=True)  # killed before its first checkpoint
    for warning in config_warnings(config):
        printer.notice(f"warning: {warning}")
    complete_run(folder, config, printer)


def end_with(parent: BinaryIO) -> None:
    """Ask this process to stop, as by SIGTERM, when who started it is gone.

    Args:
        parent: what they hold the other end of.
    """

    def wait() -> None:
        while parent.read(1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    with heard_signals():
        end_with(sys.stdin.buffer)
        leave(run_to_end(*map(Path, sys.argv[1:])))
