import os
import socket
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from latentvqa.data.folders.search import images_below
from latentvqa.errors import DataError


def write(folder, *names):
    """Images of these names, whatever their suffix says."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path, "PNG")


def names_in(folder):
    return [path.relative_to(folder).as_posix() for path in images_below(folder).paths]


def test_images_are_known_by_name_or_content_in_the_order_of_their_paths(tmp_path):
    write(tmp_path, "b.PNG", "a/z.jfif", "a/0.avif", "no suffix", "odd.dat", "a b.tiff")
    for name in ("broken.jpg", "photo.heic", "drawing.svg"):
        (tmp_path / name).write_text("junk")
    assert names_in(tmp_path) == [
        *("a b.tiff", "a/0.avif", "a/z.jfif", "b.PNG", "broken.jpg", "drawing.svg"),
        *("no suffix", "odd.dat", "photo.heic"),
    ]


def test_what_is_no_image_is_counted_by_kind(tmp_path):
    write(tmp_path, "a.png", "@eaDir/a.png/thumb.png", "@eaDir/b.png", "__MACOSX/._a.png")
    write(tmp_path, "sub/.ipynb_checkpoints/a.png", ".git/a.png", "._a.png", ".thumbnails/x.png")
    for name in ("Thumbs.db", ".DS_Store", "note.txt", "sub/list.txt", "README", "Desktop.ini"):
        (tmp_path / name).write_text("no image")
    found = images_below(tmp_path)
    assert found.paths == [tmp_path / "a.png"]
    assert found.left_out == Counter(
        {
            "files in @eaDir": 2,
            "files in __MACOSX": 1,
            "files in .ipynb_checkpoints": 1,
            "files in .thumbnails": 1,
            "files in hidden folders": 1,
            "hidden files": 1,
            ".txt files": 2,
            "files without a suffix": 1,
            "Thumbs.db": 1,
            ".DS_Store": 1,
            "Desktop.ini": 1,
        }
    )
    assert found.left_out_text.startswith("files in @eaDir (2), .txt files (2), ")
    assert found.left_out_text.endswith(", others (1)")


def test_a_folder_that_is_litter_by_name_can_be_named_itself(tmp_path):
    write(tmp_path, ".hidden/a.png", "@eaDir/b.png")
    assert names_in(tmp_path / ".hidden") == ["a.png"]
    assert names_in(tmp_path / "@eaDir") == ["b.png"]


def test_linked_folders_are_followed_once(tmp_path):
    root = tmp_path / "root"
    write(tmp_path, "root/real/a.png", "elsewhere/deep/b.png")
    (root / "again").symlink_to("real")
    (root / "1 first").symlink_to(tmp_path / "elsewhere")
    (root / "2 second").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(root)
    (root / "up").symlink_to("..")
    (root / "self").symlink_to("self")
    found = images_below(root)
    assert names_in(root) == ["1 first/deep/b.png", "real/a.png"]
    assert found.left_out == {
        "links to a folder that is searched already or lies above": 4,
        "files that cannot be read": 1,
    }


def test_the_folder_itself_may_be_a_link(tmp_path):
    write(tmp_path, "real/sub/a.png")
    (tmp_path / "link").symlink_to("real")
    assert images_below(tmp_path / "link").paths == [tmp_path / "link" / "sub" / "a.png"]


def test_pipes_sockets_and_broken_links_are_images_only_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    write(tmp_path, "in/a.png")
    for name in ("in/b.jpg", "in/pipe"):
        os.mkfifo(name)
    Path("in/c.jpg").symlink_to("none")
    Path("in/nowhere").symlink_to("none")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("in/socket")
        assert names_in(Path("in")) == ["a.png", "b.jpg", "c.jpg"]
        assert images_below(Path("in")).left_out == {
            "pipes, sockets and devices": 2,
            "links to nowhere": 1,
        }


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up the rights of root")
def test_what_cannot_be_read_is_counted_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "in/a.png", "in/locked/b.png", "in/secret")
    for name, rights in ((".", 0o755), ("in", 0o755), ("in/locked", 0), ("in/secret", 0)):
        Path(name).chmod(rights)
    os.seteuid(65_534)
    try:
        found = images_below(Path("in"))
        with pytest.raises(DataError, match="in/locked: cannot be read: Permission denied"):
            images_below(Path("in/locked"))
    finally:
        os.seteuid(0)
    assert [path.name for path in found.paths] == ["a.png"]
    assert found.left_out == {"folders that cannot be read": 1, "files that cannot be read": 1}


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder of images"):
        images_below(tmp_path / "none")
    with pytest.raises(DataError, match=r"no image in it or below$"):
        images_below(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(DataError, match=r"no image in it or below; left out: \.txt files \(1\)"):
        images_below(tmp_path)


def test_names_that_are_no_text_are_found(tmp_path):
    write(tmp_path, "line\nbreak.png", "\x1b[2J.png")
    (tmp_path / "line\nbreak.png").rename(tmp_path / "\udcff\n.png")
    assert names_in(tmp_path) == ["\x1b[2J.png", "\udcff\n.png"]
