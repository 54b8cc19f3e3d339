"""What a decoding process reads and writes."""

import io
import pickle

import numpy as np

from latentvqa.data.decoding import ImageTransform, decode_image
from latentvqa.data.decoding_worker import serve
from tests.small_runs import write_images


def test_requests_are_answered_in_order_with_pixels_or_with_what_is_wrong(tmp_path):
    paths = sorted(write_images(tmp_path / "images", 2).iterdir())
    square = ImageTransform(8)
    asked = [(square, paths), (square, [tmp_path / "absent.png"]), (square, paths[:1])]
    requests, replies = io.BytesIO(b"".join(map(pickle.dumps, asked))), io.BytesIO()
    serve(requests, replies)
    replies.seek(0)
    for _, wanted in (asked[0], asked[2]):
        assert pickle.load(replies) == (len(wanted), 3, 8, 8)
        pixels = np.frombuffer(replies.read(len(wanted) * 192), np.uint8)
        expected = np.stack([square(decode_image(path)) for path in wanted])
        assert np.array_equal(pixels, expected.ravel())
        if wanted == paths:
            assert pickle.load(replies) == f"{tmp_path / 'absent.png'}: no such file"
    assert replies.read() == b""
