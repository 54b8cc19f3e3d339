import numpy as np
from PIL import Image

from latentvqa.data.audit.images import image_facts, inspect_images
from tests.data.audit.made_tables import read
from tests.small_runs import write_images


def test_images_are_inspected_in_the_order_given(tmp_path):
    folder = write_images(tmp_path / "images", 20)
    paths = [folder / f"{index}.png" for index in (3, 19, 0)] + [folder / "none.png"]
    done = []
    files = inspect_images(paths, lambda *counts: done.append(counts))
    assert [file.fault is None for file in files] == [True, True, True, False]
    assert len({file.fingerprint and file.fingerprint.pixels for file in files}) == 4
    assert files[0].size == (32, 32)
    assert done[-1] == (4, 4)


def test_an_absent_file_is_missing_and_a_folder_or_a_torn_file_is_no_image(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 40)
    (tmp_path / "file").touch()
    names = ("folder.png", "torn.jpg", "absent.png", "file/below.png")
    files = inspect_images([tmp_path / name for name in names])
    assert [file.is_missing for file in files] == [False, False, True, True]
    assert all(file.fault and file.fingerprint is None for file in files)
    assert "is a folder, not a file" in files[0].fault


def test_the_facts_of_files_are_counted_and_a_fault_is_told_of_its_first_row(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name, mode, size in (("a", "RGB", (10, 9)), ("b", "RGB", (20, 9)), ("c", "L", (60, 8))):
        Image.new(mode, size).save(folder / f"{name}.png")
    Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16)).save(folder / "d.png")
    (folder / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    names = ("a.png", "b.png", "z.png", "torn.jpg", "z.png", "c.png", "d.png")
    table = read(tmp_path, [(name, "q?", "x") for name in names])
    files = dict(zip(table.image_paths, inspect_images(table.image_paths), strict=True))
    facts = image_facts([table], files)
    assert (facts.images, facts.missing, facts.corrupt) == (6, 1, 1)
    assert facts.widths == (4, 15, 60)
    assert facts.heights == (4, 8, 9)
    assert facts.modes["RGB"] == 2 and facts.modes["L"] == 1
    assert [(fault.path, fault.row) for fault in facts.first_faults] == [
        (str(folder / "z.png"), 4),
        (str(folder / "torn.jpg"), 5),
    ]


def test_without_a_readable_image_there_is_no_size(tmp_path):
    table = read(tmp_path, [("a.png", "q?", "x")])
    facts = image_facts([table], {table.image_paths[0]: inspect_images([tmp_path / "a.png"])[0]})
    assert (facts.widths, facts.heights, facts.modes) == ((0, 0, 0), (0, 0, 0), {})
