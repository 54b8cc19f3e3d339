"""Why a picture cannot be decoded, in words, and Pillow kept from saying more."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from latentvqa.errors import DataError
from latentvqa.regular_files import NotAFileError

HARD_MAX_PIXELS = 178_956_970  # Pillow opens none with more
_PILLOW = re.compile(r"PIL\.")


class NoImageError(ValueError):
    """What the file is instead of an image that is read."""


@contextmanager
def decoding_faults(name: str) -> Iterator[None]:
    """Name what a block cannot decode.

    Raises:
        DataError: for whatever goes wrong in it.
    """
    silence_pillow()
    try:
        yield
    except DataError:
        raise
    except (NotAFileError, NoImageError) as error:
        raise DataError(f"{name}: {error}") from error
    except Exception as error:  # Pillow's decoders let many types through on damaged files
        raise DataError(f"{name}: cannot be decoded: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """What an error in decoding means, as the end of a sentence."""
    if isinstance(error, UnidentifiedImageError):
        return "its header is damaged, or of a kind that is not read"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {HARD_MAX_PIXELS:,} pixels, the most that are read"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def silence_pillow() -> None:
    """Keep its warnings from the user: of sizes, which are checked here, and of metadata.

    A filter set once is safe in threads, which ``catch_warnings`` is not.
    """
    if not any(entry[3] == _PILLOW for entry in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW.pattern)
