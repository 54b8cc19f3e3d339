"""Pictures under whatever name a user gives."""

import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentvqa.data.folders.pictures import PictureFile, find_pictures, is_archive
from latentvqa.errors import DataError
from tests.small_runs import write_images


@pytest.fixture
def folder(tmp_path):
    root = write_images(tmp_path / "photos", 2)
    write_images(root / "sub", 1)
    (root / "notes.txt").write_text("no image")
    (root / ".DS_Store").write_bytes(b"")
    return root


MEMBERS = ["0.png", "1.png", "sub/0.png"]


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in [*MEMBERS, "notes.txt", ".DS_Store"]:
            archive.write(folder / name, name)
        archive.writestr("__MACOSX/._0.png", b"junk")
        archive.writestr("sub/empty/", b"")
    return path


def tarred(folder, path, mode):
    with tarfile.open(path, mode) as archive:
        archive.add(folder, ".", recursive=False)
        for name in [*MEMBERS, "notes.txt"]:
            archive.add(folder / name, name)
        pipe = tarfile.TarInfo("pipe.png")
        pipe.type = tarfile.FIFOTYPE
        archive.addfile(pipe)
    return path


def names(found):
    return [picture.name for picture in found.pictures]


def test_a_single_folder_names_its_pictures_from_within(folder):
    found = find_pictures([folder])
    assert names(found) == MEMBERS
    assert found.left_out == {".txt files": 1, ".DS_Store": 1}


def test_several_places_keep_their_names_and_every_picture_is_there_once(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    shutil.copytree("photos/sub", "more")
    places = [Path("more"), Path("photos/1.png"), Path("photos")]
    found = find_pictures(places)
    assert names(found) == ["more/0.png", "photos/1.png", "photos/0.png", "photos/sub/0.png"]
    assert found.left_out["pictures that are named twice"] == 1


def test_a_single_picture_need_not_be_one(folder, tmp_path):
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8junk")
    (picture,) = find_pictures([tmp_path / "torn.jpg"]).pictures
    assert picture.name == str(tmp_path / "torn.jpg")
    with pytest.raises(DataError, match=r"torn\.jpg: "):
        picture.read()


def test_a_list_is_relative_to_itself(folder, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("\ufeffphotos/1.png\n\n photos/none.png \n" + str(folder / "0.png") + "\n")
    found = find_pictures([listed])
    assert names(found) == ["photos/1.png", "photos/none.png", str(folder / "0.png")]
    assert found.pictures[0].read().size == found.pictures[2].read().size
    with pytest.raises(DataError, match=r"none\.png: no such file"):
        found.pictures[1].read()


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.TAR.XZ"])
def test_an_archive_is_read_as_the_folder_that_is_in_it(folder, tmp_path, name):
    path = tmp_path / name
    modes = {"tar": "w", "gz": "w:gz", "tgz": "w:gz", "xz": "w:xz"}
    last = name.lower().rsplit(".", 1)[1]
    assert is_archive(path)
    (zipped(folder, path) if last == "zip" else tarred(folder, path, modes[last]))
    found = find_pictures([path])
    assert names(found) == MEMBERS
    assert found.left_out[".txt files"] == 1
    assert found.left_out["pipes, sockets and devices"] == (last != "zip")
    for picture in [*found.pictures, *found.pictures[::-1]]:
        whole = PictureFile("", folder / picture.name).read().image
        assert np.array_equal(np.asarray(picture.read().image), np.asarray(whole))
    assert names(find_pictures([path, folder]))[0] == f"{path.as_posix()}/0.png"


def test_links_in_an_archive_lead_to_its_members_and_never_out_of_it(folder, tmp_path):
    path = tmp_path / "a.tar"
    (folder / "hard.png").hardlink_to(folder / "0.png")
    with tarfile.open(path, "w") as archive:
        for name in ("0.png", "hard.png"):  # the second one is stored as a link to the first
            archive.add(folder / name, name)
        for name, target in {
            "soft.png": "0.png",
            "self.png": "self.png",
            "out.png": str(folder / "1.png"),
        }.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    found = {picture.name: picture for picture in find_pictures([path]).pictures}
    assert list(found) == ["0.png", "hard.png", "soft.png", "self.png", "out.png"]
    for name in ("0.png", "hard.png", "soft.png"):
        assert found[name].read().size == (32, 32)
    for name in ("self.png", "out.png"):
        with pytest.raises(DataError, match=rf"a\.tar: {name}: cannot be read"):
            found[name].read()


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_no_picture_of_a_cut_or_damaged_archive_is_lost_without_a_word(folder, tmp_path, ending):
    path = tarred(folder, tmp_path / f"a.{ending}", "w:gz" if ending == "tar.gz" else "w")
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        second = archive.getmembers()[2].offset
        end = archive.offset  # zeros follow
    harmed = [whole[:size] for size in range(0, end if ending == "tar" else len(whole) // 2, 97)]
    if ending == "tar":
        harmed.append(whole[: second + 20] + b"\xff" + whole[second + 21 :])
    for content in harmed:
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as an archive"):
            find_pictures([path])


def test_what_is_no_file_is_no_archive_and_not_waited_for(tmp_path):
    for name in ("a.zip", "a.tar", "a.tar.gz"):
        os.mkfifo(tmp_path / name)
        (tmp_path / f"zero-{name}").symlink_to("/dev/zero")
        with pytest.raises(DataError, match="is a pipe, not a file"):
            find_pictures([tmp_path / name])
        with pytest.raises(DataError, match="is a device, not a file"):
            find_pictures([tmp_path / f"zero-{name}"])


def test_a_damaged_picture_in_an_archive_is_named(folder, tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("torn.png", b"junk")
        archive.writestr("whole.png", (folder / "0.png").read_bytes())
    torn, whole = find_pictures([path]).pictures
    with pytest.raises(DataError, match=r"a\.zip: torn\.png: not an image"):
        torn.read()
    assert whole.read().size == (32, 32)
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 255  # the archive's own sum notices it first
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.zip: whole\.png: cannot be read: Bad CRC"):
        find_pictures([path]).pictures[1].read()


def test_a_picture_that_unfolds_to_very_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("latentvqa.data.folders.pictures._MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(10_000_000))
    (picture,) = find_pictures([tmp_path / "a.zip"]).pictures
    with pytest.raises(DataError, match="larger than 1,000 bytes"):
        picture.read()


def test_what_is_not_there_or_holds_nothing_is_told(tmp_path):
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04junk")
    (tmp_path / "torn.tar.gz").write_bytes(b"\x1f\x8bjunk")
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "bare.zip", "w") as archive:
        archive.writestr("a.txt", b"")
    for name, told in {
        "none": "no such picture, folder of pictures, list or archive",
        "empty.txt": "no path in it",
        "torn.zip": "cannot be read as an archive",
        "torn.tar.gz": "cannot be read as an archive",
        "bare.zip": r"no picture in it; left out: \.txt files \(1\)",
        "empty": "no image in it",
    }.items():
        with pytest.raises(DataError, match=told):
            find_pictures([tmp_path / name])


def test_a_name_need_not_be_text(folder):
    shutil.copy(folder / "0.png", os.fsencode(folder) + b"/\xff.png")
    assert names(find_pictures([folder]))[-1] == "\udcff.png"


def test_pictures_in_an_archive_are_upright_and_rgb_as_files_are(tmp_path):
    picture = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    data = io.BytesIO()
    picture.save(data, "PNG")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", data.getvalue())
    (found,) = find_pictures([tmp_path / "a.zip"]).pictures
    image = found.read().image
    assert image.mode == "RGB" and image.getpixel((0, 0)) == (255, 255, 255)
