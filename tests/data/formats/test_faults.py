"""Why a picture cannot be decoded."""

import errno
import os

import pytest
from PIL import Image, UnidentifiedImageError

from latentvqa.data.formats.faults import NoImageError, decoding_faults, reason_of
from latentvqa.errors import DataError
from latentvqa.regular_files import NotAFileError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoImageError("a text"), "a.png: a text"),
        (NotAFileError("is a pipe, not a file"), "a.png: is a pipe, not a file"),
        (UnidentifiedImageError(), "a.png: cannot be decoded: its header is damaged"),
        (MemoryError(), "a.png: cannot be decoded: it needs more memory than there is"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "cannot be decoded: Input/output error"),
        (KeyError(), "a.png: cannot be decoded: KeyError"),
        (DataError("as it is"), "^as it is$"),
    ],
)
def test_whatever_goes_wrong_is_one_error_with_the_name(error, told):
    with pytest.raises(DataError, match=told), decoding_faults("a.png"):
        raise error


def test_too_many_pixels_are_counted_in_the_words():
    assert reason_of(Image.DecompressionBombError()).endswith(
        "178,956,970 pixels, the most that are read"
    )


def test_what_is_no_error_passes():
    with pytest.raises(KeyboardInterrupt), decoding_faults("a.png"):
        raise KeyboardInterrupt
