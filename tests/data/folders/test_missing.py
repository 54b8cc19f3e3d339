from latentvqa.data.folders.missing import missing_advice


def folder_of(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()


def advice(tmp_path, *names):
    return missing_advice([tmp_path / name for name in names])


def test_each_cause_is_counted_with_what_to_write(tmp_path):
    folder_of(tmp_path, "IMG_1.JPG", "img_2.jpg", "b.jpeg", "scan.dat", "c.png")
    assert advice(tmp_path, "img_1.jpg", "IMG_2.jpg", "b.jpg", "scan", "none.png") == [
        "2 of the missing names differ from a name on the disk in capital letters: write "
        "'IMG_1.JPG' for 'img_1.jpg', 'img_2.jpg' for 'IMG_2.jpg'.",
        "1 of the missing names differ from a name on the disk in the extension: write "
        "'b.jpeg' for 'b.jpg'.",
        "1 of the missing names lack the extension that the name on the disk has: write "
        "'scan.dat' for 'scan'.",
    ]


def test_folders_are_looked_at_like_files(tmp_path):
    folder_of(tmp_path, "Photos/sub/a.png")
    lines = advice(tmp_path, "photos/sub/a.png", "photos/sub/b.png", "Photos/Sub/a.png")
    assert lines == [
        "3 of the missing names differ from a name on the disk in capital letters: write "
        "'Photos' for 'photos', 'sub' for 'Sub'."
    ]


def test_only_the_first_examples_are_shown(tmp_path):
    folder_of(tmp_path, *(f"{number}.png" for number in range(5)))
    (line,) = advice(tmp_path, *(f"{number}.PNG" for number in range(5)))
    assert line.startswith("5 of the missing names") and line.endswith("for '2.PNG' ...")


def test_names_like_none_on_the_disk_get_no_advice(tmp_path):
    folder_of(tmp_path, "a.png")
    assert advice(tmp_path, "b.png", "none/a.png") == []
    assert missing_advice([]) == []
