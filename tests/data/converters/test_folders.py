import pytest

from latentvqa.data.converters.folders import read_folders
from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.errors import DataError


def made(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_the_outermost_folder_is_the_answer_however_deep_the_image_lies(tmp_path):
    made(tmp_path, "dog/2.JPG", "cat/deep/er/1.png", "cat/0.webp", "cat/notes.txt", "list.csv")
    assert read_folders(tmp_path, "what?") == [
        ConvertedRow("cat/0.webp", "what?", ("cat",)),
        ConvertedRow("cat/deep/er/1.png", "what?", ("cat",)),
        ConvertedRow("dog/2.JPG", "what?", ("dog",)),
    ]


def test_an_image_without_a_folder_has_no_answer(tmp_path):
    made(tmp_path, "cat/0.png", "b.png", "a.png")
    with pytest.raises(DataError, match=r"no folder names the answer of 2 images.*is a\.png"):
        read_folders(tmp_path, "what?")


def test_no_image_and_no_folder_are_named(tmp_path):
    made(tmp_path, "cat/notes.txt")
    with pytest.raises(DataError, match=r"no image in it or below; left out: \.txt files \(1\)"):
        read_folders(tmp_path, "what?")
    with pytest.raises(DataError, match="no such folder"):
        read_folders(tmp_path / "none", "what?")


def test_thumbnails_and_hidden_files_are_no_answers_and_are_told(tmp_path):
    made(tmp_path, "cat/0.png", "@eaDir/0.png", "cat/.ipynb_checkpoints/0.png", "__MACOSX/._0.png")
    told = []
    assert [row.image for row in read_folders(tmp_path, "what?", told.append)] == ["cat/0.png"]
    assert told == [
        "no images, left out: files in @eaDir (1), files in __MACOSX (1), "
        "files in .ipynb_checkpoints (1)"
    ]


def test_a_name_that_is_no_text_is_refused_escaped(tmp_path):
    made(tmp_path, "cat/\udcff.png")
    with pytest.raises(DataError, match=r"the name is no text of 1 image, .*udcff\.png"):
        read_folders(tmp_path, "what?")
