"""The commands of the Vietnamese page do what it says, on data laid out as it says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from latentvqa.core.languages.spelling import spelt
from latentvqa.core.languages.vietnamese import is_vietnamese
from tests.in_process import cli
from tests.readme_parts import MANUAL
from tests.small_runs import read_csv, small_overrides, write_rows
from tests.vietnamese_photos import NEW, OLD, draw_pictures, rows, write_table

__all__ = ["cli"]

PAGE = (MANUAL / "vietnamese.md").read_text(encoding="utf-8")
SMALL = small_overrides(
    *("vision.pretrained=false", "vision.image_size=32", "stages.warmup=1", "stages.full=1"),
    **dict.fromkeys(("data.scenes", "data.scene_images", "data.scene_questions")),
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """All but the installation and the training without arguments, which have tests."""
    return [shlex.split(line)[1:] for block in blocks("sh")[1:] for line in block.splitlines()]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder with the files that the page speaks of."""
    for block in blocks("toml"):
        name = block.splitlines()[0].removeprefix("# ")
        (tmp_path / name).write_text(block, encoding="utf-8")
    draw_pictures(tmp_path / "data" / "train_images", 20)
    write_table(tmp_path / "data" / "train.csv", range(20), OLD)
    photos = tmp_path / "vivqa" / "images"
    photos.mkdir(parents=True)
    for number, picture in enumerate(sorted((tmp_path / "data" / "train_images").iterdir())):
        shutil.copy(picture, photos / f"COCO_train2014_{557067 + number:012d}.jpg")
    for name, placement, chosen in (("train", OLD, range(16)), ("test", NEW, range(16, 20))):
        made = [
            [str(place), question, answer, str(557067 + int(image.split(".")[0])), "0"]
            for place, (image, question, answer, _) in enumerate(rows(chosen, placement))
        ]
        write_rows(tmp_path / "vivqa" / f"{name}.csv", made, ",question,answer,img_id,type")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.heavy
def test_every_command_of_the_page_works_on_tables_of_its_layout(project, cli) -> None:
    assert [words[0] for words in commands()].count("train") == 3
    for words in commands():
        extra = [part for one in SMALL for part in ("--set", one)] if words[0] == "train" else []
        found = cli(*words, *extra)
        assert found.code == 0, f"{words}: {found.err}"
    assert (project / "runs" / "run" / "report.html").is_file()
    written = read_csv(next((project / "runs" / "vivqa" / "evaluations").glob("*/predictions.csv")))
    assert len(written) == 12


def test_the_page_is_vietnamese_in_the_spelling_that_it_describes() -> None:
    assert is_vietnamese([PAGE])
    prose = re.sub(r'"[^"\n]*"', "", PAGE)  # what it quotes is spelt otherwise
    assert spelt(prose, "vi") == prose
