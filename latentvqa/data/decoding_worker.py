"""A process that decodes images: ``python -m latentvqa.data.decoding_worker``.

Requests come on stdin, pixels leave on stdout. It ends when its parent is gone,
whatever ended that, and heeds no signal but a kill: when to stop is the parent's
decision.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import BinaryIO

import numpy as np

from latentvqa.errors import DataError
from latentvqa.stopping import SIGNALS


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more.

    A request is a transform and paths. The reply is the shape of the pixels, then
    the pixels; or what is wrong with an image.

    Args:
        requests: pickled, one after the other.
        replies: likewise, pixels as they are.
    """
    while True:
        try:
            transform, paths = pickle.load(requests)
        except EOFError:
            return
        try:
            pixels = np.stack([transform.read(path) for path in paths])
        except DataError as error:
            pickle.dump(str(error), replies)
        else:
            pickle.dump(pixels.shape, replies)
            replies.write(pixels.tobytes())
        replies.flush()


if __name__ == "__main__":
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # what decoders print must not come between the replies
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve(sys.stdin.buffer, replies)
