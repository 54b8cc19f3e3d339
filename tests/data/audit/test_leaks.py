import shutil
from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest

from latentvqa.core.audit.facts import ImageFacts, Rows
from latentvqa.data.audit.images import inspect_images
from latentvqa.data.audit.leaks import KnownImages, rows_of
from latentvqa.data.folders.search import FolderImages
from tests.data.audit.made_tables import read
from tests.data.audit.test_near_copies import photograph

NOTHING = ImageFacts(0, 0, 0, [], {}, {}, (0, 0, 0), (0, 0, 0))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A table of two photographs, a copy of the first and a small near-copy of the second."""
    folder = tmp_path_factory.mktemp("leaks")
    images = folder / "images"
    images.mkdir()
    photograph(0).save(images / "a.png")
    photograph(1).save(images / "b.png")
    shutil.copy(images / "a.png", images / "c.png")
    photograph(1).resize((180, 240)).save(images / "d.png")
    names = ("a.png", "b.png", "c.png", "d.png", "d.png", "a.png")
    table = read(folder, [(name, "q?", "x") for name in names])
    files = dict(zip(table.image_paths, inspect_images(table.image_paths), strict=True))
    return table, KnownImages(files)


def test_images_are_found_among_others_as_equal_or_alike(made):
    table, known = made
    a, b, *_ = table.image_paths
    equal, alike = known.found_in(table, [a])
    assert (equal.tolist(), alike.tolist()) == ([True, False, True, False], [False] * 4)
    equal, alike = known.found_in(table, [b])
    assert equal.tolist() == [False, True, False, False]
    assert alike.tolist() == [False, False, False, True]
    assert not np.concatenate(known.found_in(table, [])).any()


def test_within_a_table_an_image_is_a_copy_of_an_earlier_one_alone(made):
    table, known = made
    facts = known.within(NOTHING, [table])
    assert facts.copies == {str(table.path): Rows(1 / 6, (4,))}
    assert facts.near_copies == {str(table.path): Rows(2 / 6, (5, 6))}
    assert facts.plain == 0
    ((path, like),) = map(astuple, facts.first_near_copies)
    assert {path, like} == {str(table.image_paths[1]), str(table.image_paths[3])}


def test_a_folder_is_searched_for_the_images_of_a_table(made):
    table, known = made
    content = FolderImages([table.image_paths[0]], Counter({".txt files": 2}))
    found = known.against(table, table.path.parent, content)
    assert (found.images, found.table) == (1, str(table.path))
    assert found.left_out == ".txt files (2)"
    assert found.copied_contents == Rows(3 / 6, (2, 4, 7))
    assert found.near_copies == Rows(0.0, ())


def test_the_first_ten_rows_are_listed_by_their_numbers_in_the_file(tmp_path):
    table = read(tmp_path, [("a.png", f"q{i}?", "x") for i in range(16)])
    is_meant = np.arange(16) % 4 != 0
    assert rows_of(table, is_meant) == Rows(12 / 16, (3, 4, 5, 7, 8, 9, 11, 12, 13, 15))
    assert rows_of(table, np.zeros(16, dtype=bool)) == Rows(0.0, ())
