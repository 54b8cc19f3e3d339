import os
import signal

import pytest

from latentvqa.data.tables import read_questions
from tests.small_runs import start_cli, wait_until


def bytes_below(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_scenes_are_made_and_named(cli, tmp_path):
    done = cli("data", "make-scenes", tmp_path / "s", "--images", 3, "--questions-per-image", 4)
    assert (done.code, done.err) == (0, "")
    assert done.out.strip() == (
        f"{tmp_path / 's' / 'questions.csv'} (3 scenes in {tmp_path / 's' / 'images'})"
    )
    table = read_questions(tmp_path / "s" / "questions.csv", images=tmp_path / "s" / "images")
    assert (len(table), len(table.image_paths)) == (12, 3)
    assert table.types is not None


def test_the_same_seed_gives_the_same_bytes(cli, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert cli("data", "make-scenes", tmp_path / name, "--images", 2, "--seed", seed).code == 0
    assert bytes_below(tmp_path / "a") == bytes_below(tmp_path / "b")
    assert bytes_below(tmp_path / "a") != bytes_below(tmp_path / "c")


def test_the_levels_differ(cli, tmp_path):
    for level in ("easy", "full"):
        options = ["--images", 2, "--level", level, "--questions-per-image", 20]
        assert cli("data", "make-scenes", tmp_path / level, *options).code == 0
    types = {
        level: set(
            read_questions(
                tmp_path / level / "questions.csv", images=tmp_path / level / "images"
            ).types
        )
        for level in ("easy", "full")
    }
    assert len(types["full"] - types["easy"]) >= 2


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--images", "0"], 2, "greater than or equal to 1"),
        (["--seed", "-1"], 2, "greater than or equal to 0"),
        (["--level", "hard"], 2, "'hard'"),
    ],
)
def test_senseless_options_are_refused(cli, tmp_path, options, code, told):
    done = cli("data", "make-scenes", tmp_path / "s", *options)
    assert done.code == code and told in done.err
    assert not (tmp_path / "s").exists()


def test_a_file_in_the_place_of_the_folder_is_told(cli, tmp_path):
    (tmp_path / "s").touch()
    done = cli("data", "make-scenes", tmp_path / "s")
    assert done.code == 1 and "the scenes cannot be written" in done.err


def test_ctrl_c_leaves_no_half_table(tmp_path):
    process = start_cli("data", "make-scenes", tmp_path / "s", "--images", 100_000)
    wait_until(lambda: any((tmp_path / "s").glob(".*/images/00010.png")), process)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not (tmp_path / "s").exists()


def test_own_data_is_never_drawn_over(cli, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "questions.csv").write_text("image,question,answer\n")
    known = bytes_below(tmp_path)
    for options, told in (((), "--overwrite"), (("--overwrite",), "no scenes.json in it")):
        done = cli("data", "make-scenes", tmp_path, "--images", 2, *options)
        assert (done.code, done.out) == (1, "") and told in done.err
    assert bytes_below(tmp_path) == known
    scenes = tmp_path / "scenes"
    for code, options in ((0, ()), (1, ()), (0, ("--overwrite",))):
        assert cli("data", "make-scenes", scenes, "--images", 2, *options).code == code
