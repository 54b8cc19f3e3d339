import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter
from rich.console import Console
from typer.testing import CliRunner

from latentvqa.cli import app
from latentvqa.core.results.audit import AuditResult
from latentvqa.report.audit import audit_panel
from tests.data.audit.test_near_copies import photograph
from tests.small_runs import start_cli, write_images, write_rows

runner = CliRunner()


def audited(*arguments):
    result = runner.invoke(app, ["data", "audit", *map(str, arguments), "--json"])
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def codes(found):
    return {finding["code"] for finding in found["findings"]}


def test_what_was_changed_in_reading_is_told_for_every_table(tmp_path):
    tables = [
        write_rows(
            tmp_path / f"{name}.csv", [("0.png", "wh\u200bat?", "yes"), ("1.png", "why?", "no")]
        )
        for name in ("train", "test")
    ]
    result = runner.invoke(app, ["data", "audit", *map(str, tables)])
    told = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert len(told) == 2
    for line, table in zip(told, tables, strict=True):
        assert str(table) in line and "1 cell" in line
    assert len(audited(*tables)["notes"]) == 2


@pytest.fixture
def tables(tmp_path):
    """A training and a test table with one of every fault."""
    images = write_images(tmp_path / "images", 8)
    shutil.copy(images / "0.png", images / "copy.png")
    (images / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 40)
    Image.new("CMYK", (10, 20)).save(images / "cmyk.jpg")
    Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16)).save(images / "deep.png")
    long = " ".join(["từ"] * 40)
    train = [
        ("0.png", "màu gì?", "màu đỏ"),
        ("0.png", "màu gì?", "màu đỏ"),
        ("1.png", "màu gì?", "đỏ"),
        ("1.png", "Màu gì?", "xanh"),
        ("2.png", long, "xanh"),
        ("torn.jpg", "một?", "có"),
        ("nowhere.png", "một?", "có"),
    ]
    test = [
        ("0.png", "màu gì?", "đỏ"),
        ("copy.png", "màu gì?", "tím"),
        ("cmyk.jpg", "hoàn toàn khác?", "ma\u0300u đỏ"),
        ("deep.png", "màu gì?", "xanh"),
    ]
    return (
        write_rows(tmp_path / "train.csv", train),
        write_rows(tmp_path / "test.csv", test),
        images,
    )


def test_every_planted_fault_is_found_and_measured(tables):
    train, test, images = tables
    found = audited(train, test, "--images", images)
    assert codes(found) == {
        *("DA001", "DA002", "DA003", "DA004", "DA005", "DA008", "DA010", "DA011", "DA012"),
    }
    first, second = found["tables"]
    assert (first["rows"], first["images"], second["rows"]) == (7, 5, 4)
    assert first["duplicates"] == {"share": pytest.approx(1 / 7), "first": [3]}
    assert first["conflicts"] == {"share": pytest.approx(2 / 7), "first": [4, 5]}
    assert first["truncated_questions"] == {"share": pytest.approx(1 / 7), "first": [6]}
    assert second["unknown_words"] == pytest.approx(3 / 13)  # hoàn, toàn, khác
    (pair,) = found["pairs"]
    assert pair["leaked_paths"] == {"share": 1 / 4, "first": [2]}
    assert pair["copied_contents"] == {"share": 1 / 4, "first": [3]}
    # decomposed Vietnamese is the same answer
    assert pair["unseen_answers"] == {"share": 1 / 4, "first": [3]}
    pictures = found["images"]
    assert (pictures["images"], pictures["missing"], pictures["corrupt"]) == (8, 1, 1)
    assert pictures["modes"]["CMYK"] == 1
    assert pictures["widths"] == [4, 32, 32]
    assert [(bad["path"].rsplit("/", 1)[1], bad["row"]) for bad in pictures["first_faults"]] == [
        ("torn.jpg", 7),
        ("nowhere.png", 8),
    ]
    assert pictures["copies"][str(test)] == {"share": 1 / 4, "first": [3]}


def test_two_placements_of_a_tone_are_told_and_with_the_language_are_one(tmp_path):
    train = write_rows(
        tmp_path / "train.csv",
        [
            ("0.png", "vật gì ở giữa?", "tòa nhà"),
            ("0.png", "vật gì ở giữa?", "toà nhà"),
            ("1.png", "họa sĩ vẽ gì?", "hoa hoè"),
            ("1.png", "hoạ sĩ vẽ gì?", "xe lửa"),
        ],
    )
    test = write_rows(tmp_path / "test.csv", [("2.png", "Hoạ sĩ vẽ gì?", "hoa hòe")])
    apart = audited(train, test)
    (finding,) = [one for one in apart["findings"] if one["code"] == "DA017"]
    assert finding["level"] == "warning"
    assert finding["observed"] == 3
    assert "3 words in two spellings (hòe and hoè" in finding["sentence"]
    assert "họa and hoạ, tòa and toà)" in finding["sentence"]
    assert finding["advice"] == 'Set text.language = "vi", and each is one.'
    first, _ = apart["tables"]
    assert (first["answers"], first["duplicates"]["share"]) == (4, 0.0)
    assert apart["pairs"][0]["unseen_answers"]["share"] == 1.0

    together = audited(train, test, "--set", "text.language=vi")
    assert "DA017" not in codes(together)
    first, second = together["tables"]
    assert first["answers"] == 3
    assert first["duplicates"] == {"share": 1 / 4, "first": [3]}
    assert first["conflicts"] == {"share": 1 / 2, "first": [4, 5]}
    assert second["unknown_words"] == 0.0
    assert together["pairs"][0]["unseen_answers"]["share"] == 0.0


def test_without_images_only_names_are_compared(tables):
    found = audited(*tables[:2])
    assert found["images"] is None
    (pair,) = found["pairs"]
    assert pair["copied_contents"] is None
    assert pair["leaked_paths"]["share"] == 1 / 4
    assert {"DA002", "DA010"}.isdisjoint(codes(found))


def test_one_table_is_enough(tables):
    found = audited(tables[0])
    assert found["pairs"] == []
    assert found["tables"][0]["priors"].keys() == {"answers", "question_text"}


@pytest.mark.parametrize(
    ("level", "code"), [("info", 3), ("warning", 3), ("critical", 0), (None, 0)]
)
def test_the_exit_code_follows_the_worst_finding(tables, level, code):
    options = [] if level is None else ["--fail-on", level]
    result = runner.invoke(app, ["data", "audit", *map(str, tables[:2]), *options])
    assert result.exit_code == code


def test_columns_are_named_as_for_training(tmp_path):
    table = write_rows(tmp_path / "t.csv", [("a", "q?", "x")], "img_id,question,label")
    mapping = 'data.columns={image = "img_id", answer = "label"}'
    assert audited(table, "--set", mapping)["tables"][0]["rows"] == 1


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_than_the_terminal(tables, width):
    found = audited(tables[0], tables[1], "--images", tables[2])
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(audit_panel(TypeAdapter(AuditResult).validate_python(found)))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= width
    assert any("critical DA010" in line for line in lines)


def test_a_table_without_a_fault_is_said_to_be_sound(tmp_path):
    table = write_rows(tmp_path / "t.csv", [("a.png", "q?", "x"), ("b.png", "q?", "y")])
    result = runner.invoke(app, ["data", "audit", str(table)])
    assert "Nothing to warn of." in result.stdout


def test_text_of_a_table_is_shown_as_it_stands_and_steers_no_terminal(tmp_path):
    rows = [("x[/b].png", "q?", "[/b]", "[red]\x1b[2J")]
    table = write_rows(tmp_path / "t.csv", rows, "image,question,answer,type")
    result = runner.invoke(app, ["data", "audit", str(table), "--images", str(tmp_path)])
    assert result.exit_code == 0, result.exception
    # a long path folds, and that of this folder is long
    shown = result.stdout.replace("\n", "").replace(" ", "")
    for text in ("x[/b].png", "[/b]", "[red][2J"):
        assert text in shown
    assert "\x1b[2J" not in result.stdout


def opens_below(process, folder):
    """Wait until a process has a file of a folder open."""
    while process.poll() is None:
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                if link.readlink().is_relative_to(folder):
                    return True
    return False


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="shows no open files")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_an_audit_at_once(tmp_path, number, code):
    images = tmp_path / "images"
    images.mkdir()
    Image.radial_gradient("L").resize((3000, 3000)).convert("RGB").save(images / "0.jpg")
    for index in range(1, 200):
        os.link(images / "0.jpg", images / f"{index}.jpg")
    rows = [(f"{index}.jpg", "q?", "x") for index in range(200)]
    process = start_cli("data", "audit", write_rows(tmp_path / "t.csv", rows), "--images", images)
    assert opens_below(process, images)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in errors


def test_a_later_table_may_go_without_answers(tables, tmp_path):
    train, _, images = tables
    unlabelled = write_rows(
        tmp_path / "u.csv", [("0.png", "màu gì?"), ("3.png", "một?")], "image,question"
    )
    found = audited(train, unlabelled, "--images", images)
    assert {"DA001", "DA013"} <= codes(found)
    second, (pair,) = found["tables"][1], found["pairs"]
    assert (second["answers"], second["priors"], second["top_answers"]) == (0, {}, {})
    assert pair["unseen_answers"] is None
    shown = runner.invoke(app, ["data", "audit", str(train), str(unlabelled)]).stdout
    assert "has no answers" in " ".join(shown.split())


def test_copies_of_an_image_within_a_table_are_counted(tmp_path):
    images = write_images(tmp_path / "images", 3)
    for name in ("again.png", "once more.png"):
        shutil.copy(images / "0.png", images / name)
    names = ["0.png", "1.png", "again.png", "once more.png"]
    table = write_rows(tmp_path / "t.csv", [(name, "q?", "x") for name in names])
    found = audited(table, "--images", images)
    assert found["images"]["copies"] == {str(table): {"share": 2 / 4, "first": [4, 5]}}
    assert "DA012" in codes(found)


@pytest.mark.parametrize("way", ["--set", "--config", "both"])
def test_the_images_folder_is_taken_from_the_configuration(tmp_path, way):
    images = write_images(tmp_path / "images", 2)
    table = write_rows(tmp_path / "t.csv", [("0.png", "q?", "x"), ("1.png", "q?", "y")])
    config = tmp_path / "run.toml"
    config.write_text('[data]\ntrain = "elsewhere.csv"\nimages = "images"\n')
    options = {
        "--set": ["--set", f"data.images={images}"],
        "--config": ["--config", config],
        "both": ["--config", config, "--set", "text.lowercase=false"],
    }
    found = audited(table, *options[way])
    assert found["images"]["images"] == 2
    assert found["tables"][0]["name"] == str(table)


def write_photographs(folder, seeds):
    folder.mkdir()
    for seed in seeds:
        photograph(seed).save(folder / f"{seed}.png")
    return folder


@pytest.fixture
def folders(tmp_path):
    """Two tables with folders of their own that use the same names for different images."""
    train = write_photographs(tmp_path / "train", range(3))
    test = write_photographs(tmp_path / "test", range(10, 13))
    photograph(1).save(test / "0.jpg", quality=50)
    photograph(2).save(test / "1.png", compress_level=0)
    photograph(20).save(test / "2.png")
    first = [(name, "q?", "x") for name in ("0.png", "1.png", "2.png")]
    second = [(name, "q?", "x") for name in ("10.png", "0.jpg", "1.png", "2.png")]
    return (
        write_rows(tmp_path / "train.csv", first),
        write_rows(tmp_path / "test.csv", second),
        train,
        test,
    )


def test_each_table_may_have_a_folder_and_leaks_are_found_between_them(folders):
    train, test, train_images, test_images = folders
    found = audited(train, test, "--images", train_images, "--images", test_images)
    (pair,) = found["pairs"]
    assert pair["leaked_paths"]["share"] == 0.0
    assert pair["copied_contents"] == {"share": 1 / 4, "first": [4]}
    assert pair["near_copies"] == {"share": 1 / 4, "first": [3]}
    assert {"DA002", "DA014"} <= codes(found)
    (listed,) = found["images"]["first_near_copies"]
    assert {listed["path"], listed["like"]} == {
        str(test_images / "0.jpg"),
        str(train_images / "1.png"),
    }


def test_images_are_sought_in_further_folders(folders):
    _, test, train_images, test_images = folders
    found = audited(test, "--images", test_images, "--against", train_images)
    (folder,) = found["images"]["folders"]
    assert folder["images"] == 3
    assert folder["copied_contents"]["first"] == [4]
    assert folder["near_copies"]["first"] == [3]
    assert [finding["code"] for finding in found["findings"]].count("DA016") == 2


def test_near_copies_within_a_table_are_told(folders, tmp_path):
    _, _, images, _ = folders
    photograph(0).resize((150, 110)).save(images / "small.png")
    table = write_rows(tmp_path / "t.csv", [("0.png", "q?", "x"), ("small.png", "q?", "x")])
    found = audited(table, "--images", images)
    assert found["images"]["near_copies"] == {str(table): {"share": 1 / 2, "first": [3]}}
    assert "DA015" in codes(found)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--images", "a", "--images", "b", "--images", "c"], "3 folders for 2 tables"),
        (["--against", "a"], "needs the tables' own images"),
    ],
)
def test_folders_that_fit_no_table_are_a_fault_of_usage(folders, options, part):
    result = runner.invoke(app, ["data", "audit", *map(str, folders[:2]), *options])
    assert result.exit_code == 2
    assert part in " ".join(result.output.replace("│", " ").split())


def test_a_further_folder_without_images_is_refused(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    options = ["--images", str(folders[3]), "--against", str(tmp_path / "empty")]
    result = runner.invoke(app, ["data", "audit", str(folders[1]), *options])
    assert "no image in it or below" in str(result.exception)
