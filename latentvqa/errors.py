"""Every error that a user can cause, as one tree.

    LatentVQAError
    |-- ConfigError       a key, a value or a flag; exit code 2
    |-- DataError         a table, an image, a split
    |-- HistoryError      a log that cannot be read
    |-- CheckpointError   a checkpoint or run folder that cannot be used
    |-- LoaderError       processes that prepare batches and have ended
    |-- OutputError       a file or folder that must not or cannot be written
    |-- ScorerError       a scorer of the user's own that failed while it was asked
    `-- DivergenceError   a loss that is NaN or infinite

The command line catches :class:`LatentVQAError` once, at its edge, and prints
the message alone. A message says what is wrong, where, and what to do.
"""

_NO_MEMORY = ("out of memory", "can't allocate memory")


def memory_fault(error: Exception) -> str:
    """What to do where memory has run out, as a sentence; empty for any other error.

    Python, arrays and tables say it by its class, PyTorch by its words alone.
    """
    is_known = isinstance(error, MemoryError)
    if not is_known and not (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)
    ):
        return ""
    words = str(error).split("\n", maxsplit=1)[0]
    return (
        f"memory has run out{f' ({words})' if words else ''}. Lower loader.batch_size, "
        "loader.cache_mib or vision.image_size (evaluate: --batch-size), or take a smaller table; "
        "a run goes on from its last checkpoint with --resume."
    )


class LatentVQAError(Exception):
    """Base of all errors that are reported without a traceback."""

    exit_code = 1


class ConfigError(LatentVQAError):
    """A configuration key, value or command-line flag is wrong."""

    exit_code = 2


class DataError(LatentVQAError):
    """A question table, an image or a split cannot be used."""


class HistoryError(LatentVQAError):
    """A training log cannot be read."""


class CheckpointError(LatentVQAError):
    """A checkpoint or a run folder cannot be used."""


class LoaderError(LatentVQAError):
    """Processes that prepare batches could not start, or have ended."""


class OutputError(LatentVQAError):
    """A named output must not be replaced, or cannot be written."""


class ScorerError(LatentVQAError):
    """A ``teacher.scorer`` of the user's own failed during training."""


class DivergenceError(LatentVQAError):
    """A loss became NaN or infinite during training."""
