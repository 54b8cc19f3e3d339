from __future__ import annotations

from pathlib import Path

import pytest

from latentvqa.data.folders.names import ImageFolder
from latentvqa.data.tables import read_questions
from latentvqa.errors import DataError
from tests.data.written_tables import fault, read


def test_extensions_are_found(folder: Path) -> None:
    table = read(folder, "image,question,answer\n7,q,a\nimg.v2,q,a\nsub/c,q,a\na,q,a\na.png,q,a\n")
    assert table.image_names == ("7.JPG", "a.png", "img.v2.png", "sub/c.jpg")
    assert table.image_index.tolist() == [0, 2, 3, 1, 1]


def test_a_file_name_in_decomposed_form_is_found(folder: Path) -> None:
    (folder / "im" / "cafe\u0301.png").touch()
    table = read(folder, "image,question,answer\ncaf\u00e9,q,a\ncaf\u00e9.png,q,a\n")
    assert [path.exists() for path in table.image_paths] == [True]


def test_a_missing_image_is_left_to_the_image_check(folder: Path) -> None:
    assert read(folder, "image,question,answer\nno.png,q,a\n").image_names == ("no.png",)


def test_an_ambiguous_name_is_refused(folder: Path) -> None:
    (folder / "im" / "a.jpg").touch()
    message = fault(folder, "image,question,answer\nb.png,q,a\na,q,a\n")
    assert "row 3, column 'image': 'a' fits a.jpg and a.png" in message


@pytest.mark.parametrize(
    "name", ["../out.png", "{root}/out.png", "link.png", "linked/out.png", "."]
)
def test_a_path_that_leaves_the_folder_needs_permission(folder: Path, name: str) -> None:
    (folder / "out.png").touch()
    (folder / "im" / "link.png").symlink_to(folder / "out.png")
    (folder / "im" / "linked").symlink_to(folder)
    content = f"image,question,answer\na.png,q,a\n{name.format(root=folder)},q,a\n"
    message = fault(folder, content)
    assert "row 3, column 'image'" in message and "data.allow_outside = true" in message
    assert len(read(folder, content, allow_outside=True).image_names) == 2


def test_inner_links_dots_and_absolute_paths_are_fine(folder: Path) -> None:
    (folder / "im" / "again.png").symlink_to("a.png")
    names = ["again.png", "sub/../a.png", str(folder / "im" / "b.png")]
    table = read(folder, "image,question,answer\n" + "".join(f"{n},q,a\n" for n in names))
    assert table.image_names == ("a.png", "again.png", "b.png")


def test_a_name_is_found_relative_to_the_folder_and_its_path_is_whole(folder: Path) -> None:
    images = ImageFolder(folder / "im")
    assert [images.find(name) for name in ("7", "./a", "sub/c.jpg")] == [
        "7.JPG",
        "a.png",
        "sub/c.jpg",
    ]
    assert images.path("sub/c.jpg") == folder / "im" / "sub" / "c.jpg"


def test_a_stem_is_completed_by_image_suffixes_alone(folder: Path) -> None:
    (folder / "im" / "a.txt").touch()
    assert ImageFolder(folder / "im").find("a") == "a.png"


def test_a_name_with_its_extension_wins_over_stems(folder: Path) -> None:
    (folder / "im" / "a.png.jpg").touch()
    assert ImageFolder(folder / "im").find("a.png") == "a.png"


def test_a_name_outside_is_absolute_where_that_is_allowed(folder: Path) -> None:
    (folder / "out.png").touch()
    images = ImageFolder(folder / "im", allow_outside=True)
    assert images.find("../out") == (folder / "out.png").as_posix()
    with pytest.raises(ValueError, match="leads out of the images folder"):
        ImageFolder(folder / "im").find("../out")


def test_a_folder_whose_name_begins_alike_lies_outside(folder: Path) -> None:
    (folder / "im2").mkdir()
    (folder / "im2" / "a.png").touch()
    with pytest.raises(ValueError, match="leads out"):
        ImageFolder(folder / "im").find("../im2/a.png")


def test_a_folder_that_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: no such images folder; check data\.images"):
        ImageFolder(tmp_path / "none")


NFC, NFD = "B\u00fccher/\u00e9.png", "Bu\u0308cher/e\u0301.png"


@pytest.mark.parametrize("there", [NFC, NFD], ids=["composed", "decomposed"])
@pytest.mark.parametrize("given", [NFC, NFD], ids=["composed", "decomposed"])
@pytest.mark.parametrize("suffix", [".png", ""])
def test_the_same_letters_are_found_on_either_side(
    tmp_path: Path, there: str, given: str, suffix: str
) -> None:
    (tmp_path / there).parent.mkdir()
    (tmp_path / there).touch()
    name = given.removesuffix(".png") + suffix
    assert ImageFolder(tmp_path).find(name) == there
    assert ImageFolder(tmp_path).find(str(tmp_path / name)) == there
    below = ImageFolder((tmp_path / there).parent)
    assert below.find(str(tmp_path / name)) == Path(there).name
    outside = ImageFolder((tmp_path / there).parent, allow_outside=True)
    (tmp_path / "e\u0301t\u00e9").touch()
    assert outside.find("../\u00e9te\u0301") == str(tmp_path / "e\u0301t\u00e9")


def test_of_names_with_the_same_letters_the_same_bytes_win(tmp_path: Path) -> None:
    for name in (NFC, NFD, "\u1eadx.png", "\u1ea1\u0302x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    images = ImageFolder(tmp_path)
    assert [images.find(name) for name in (NFC, NFD)] == [NFC, NFD]
    mixed = "a\u0323\u0302x.png"  # neither name is written so
    with pytest.raises(ValueError, match=r"fits 2 names of the same letters, .*rename one"):
        images.find(mixed)


def test_the_root_of_the_disk_and_a_linked_folder_can_hold_the_images(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "sub" / "a.png").touch()
    (tmp_path / "link").symlink_to("real")
    inner = str(tmp_path / "real" / "sub" / "a").lstrip("/")
    assert ImageFolder(Path("/")).find(inner) == inner + ".png"
    assert ImageFolder(Path("/")).find("/" + inner) == inner + ".png"
    linked = ImageFolder(tmp_path / "link")
    for name in ("sub/a", str(tmp_path / "link/sub/a"), str(tmp_path / "real/sub/a")):
        assert linked.find(name) == "sub/a.png"
        assert linked.path(linked.find(name)).exists()
    above = ImageFolder(tmp_path / "link" / "sub" / "..")
    assert above.path(above.find("sub/a")).exists()
    with pytest.raises(ValueError, match="leads out"):
        linked.find("../real2/a.png")


@pytest.mark.parametrize(
    ("name", "reason"), [("a\0.png", "a NUL character"), ("\ud83d.png", "half of a character")]
)
def test_what_can_be_no_name_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"holds {reason}, which no file name has"):
        ImageFolder(tmp_path).find(name)


def test_names_that_are_no_text_are_found(tmp_path: Path) -> None:
    for name in ("\udcff.png", "line\nbreak.png", "\x1b[2J.png", "cr\rname.png"):
        (tmp_path / name).touch()
        assert ImageFolder(tmp_path).find(name) == name


@pytest.mark.parametrize("there", [NFC, NFD], ids=["composed", "decomposed"])
def test_a_table_and_a_disk_with_the_same_bytes_agree_beside_the_other_form(
    folder: Path, there: str
) -> None:
    for name in (NFC, NFD):
        (folder / "im" / name).parent.mkdir(exist_ok=True)
        (folder / "im" / name).touch()
    table = read(folder, f"image,question,answer\n{there},q,a\n")
    assert table.image_names == (there,)


def test_a_table_alone_takes_both_forms_of_a_name_for_one_image(folder: Path) -> None:
    (folder / "t.csv").write_text(f"image,question,answer\n{NFC},q,a\n{NFD},q,b\n")
    assert read_questions(folder / "t.csv", needs_images=False).image_names == (NFC,)
