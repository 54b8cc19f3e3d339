"""A folder of pictures, one of them broken, and what is asked about them."""

import shutil

import pytest

from tests.small_runs import write_images

ASKED = ["how many circles are there?", 'what, exactly, is "it"?']


@pytest.fixture
def folder(tmp_path):
    root = write_images(tmp_path / "images", 2)
    (root / "sub").mkdir()
    shutil.copy(root / "0.png", root / "sub" / "ü é.PNG")
    (root / "broken.jpg").write_bytes(b"junk")
    return root
