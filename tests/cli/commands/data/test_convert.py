import json
import subprocess
import sys
import unicodedata

import pytest
from typer.testing import CliRunner

from latentvqa.cli import app
from latentvqa.data.tables import read_questions
from tests.small_runs import TINY, write_images

runner = CliRunner()
TEXTS = ['a "quoted", thing', "màu\u0301 đỏ", "two\nlines", "None", "01", '["x"]', "100%"]


def convert(*arguments):
    return runner.invoke(app, ["data", "convert", *map(str, arguments)])


def converted(*arguments):
    result = convert(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def fault(*arguments):
    result = convert(*arguments)
    assert result.exit_code != 0
    return str(result.exception)


def as_read(path, **options):
    return read_questions(path, needs_images=False, **options)


def clean(text):
    return unicodedata.normalize("NFC", text).strip()


@pytest.fixture
def vqa(tmp_path):
    """The documented layout of VQA v2, two questions."""
    questions = {
        "info": {},
        "task_type": "Open-Ended",
        "data_type": "mscoco",
        "data_subtype": "train2014",
        "license": {},
        "questions": [
            {"image_id": 9, "question": "What is this?", "question_id": 9000},
            {"image_id": 458752, "question": "Is it, or not?", "question_id": 458752000},
        ],
    }
    answers = [*TEXTS, "", "net", "net"]
    annotations = {
        "data_type": "mscoco",
        "data_subtype": "train2014",
        "annotations": [
            {
                "question_type": "what is",
                "multiple_choice_answer": "net",
                "answers": [
                    {"answer": text, "answer_confidence": "yes", "answer_id": place}
                    for place, text in enumerate(answers, start=1)
                ],
                "image_id": image,
                "answer_type": "other",
                "question_id": question,
            }
            for image, question in ((9, 9000), (458752, 458752000))
        ],
    }
    paths = tmp_path / "questions.json", tmp_path / "annotations.json"
    for path, content in zip(paths, (questions, annotations), strict=True):
        path.write_text(json.dumps(content))
    return paths


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_every_reference_of_vqa_v2_survives_in_every_format(vqa, tmp_path, suffix):
    out = tmp_path / f"t.{suffix}"
    converted("vqa-v2", "--questions", vqa[0], "--annotations", vqa[1], "--out", out)
    table = as_read(out)
    assert table.image_names == (
        "COCO_train2014_000000000009.jpg",
        "COCO_train2014_000000458752.jpg",
    )
    assert table.answers[0] == tuple(map(clean, [*TEXTS, "net", "net"]))
    assert table.questions == ["What is this?", "Is it, or not?"]
    assert table.types == ["other", "other"]
    assert table.ids == ["9000", "458752000"]


def test_a_test_set_has_no_answers_and_its_part_shares_the_images(vqa, tmp_path):
    content = json.loads(vqa[0].read_text()) | {"data_subtype": "test-dev2015"}
    vqa[0].write_text(json.dumps(content))
    result = converted("vqa-v2", "--questions", vqa[0], "--out", tmp_path / "t.csv")
    table = as_read(tmp_path / "t.csv", require_answers=False)
    assert table.answers == [(), ()]
    assert "has no answers" in result.stdout
    assert "Next" not in result.stdout
    assert table.image_names[0] == "COCO_test2015_000000000009.jpg"


def test_gqa_takes_one_file_or_a_folder_of_them(tmp_path):
    folder = tmp_path / "train_all_questions"
    folder.mkdir()
    for place, text in enumerate(TEXTS[:2]):
        entry = {
            "semantic": [],
            "imageId": f"23{place}",
            "question": f"Is it {text}?",
            "answer": text,
            "fullAnswer": "No, it is not.",
            "types": {"detailed": "d", "semantic": "rel", "structural": "verify"},
        }
        (folder / f"part_{place}.json").write_text(json.dumps({f"0{place}": entry}))
    converted("gqa", "--questions", folder, "--out", tmp_path / "t.csv")
    table = as_read(tmp_path / "t.csv")
    assert table.image_names == ("230.jpg", "231.jpg")
    assert table.answers == [(clean(text),) for text in TEXTS[:2]]
    assert (table.types, table.ids) == (["verify", "verify"], ["00", "01"])


def test_clevr_asks_what_its_program_ends_with(tmp_path):
    base = {"split": "val", "image_index": 0, "image_filename": "CLEVR_val_000000.png"}
    questions = [
        {
            **base,
            "question": "How many?",
            "answer": "0",
            "question_index": 0,
            "question_family_index": 2,
            "program": [{"function": "scene"}, {"function": "count"}],
        },
        {
            **base,
            "question": "Is it red?",
            "answer": "no",
            "question_index": 1,
            "program": [{"type": "scene"}, {"type": "exist"}],
        },
    ]
    path = tmp_path / "CLEVR_val_questions.json"
    path.write_text(json.dumps({"info": {}, "questions": questions}))
    converted("clevr", "--questions", path, "--out", tmp_path / "t.jsonl")
    table = as_read(tmp_path / "t.jsonl")
    assert table.answers == [("0",), ("no",)]
    assert table.types == ["count", "exist"]
    assert table.ids == ["0", "1"]
    assert set(table.image_names) == {"CLEVR_val_000000.png"}


def test_easy_vqa_takes_triples_of_question_answer_and_image(tmp_path):
    triples = [
        ["what color is the shape?", "blue", 0],
        ["what shape is in the image?", "circle", 0],
        ["is there not a circle in the image?", "no", 1],
    ]
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(triples))
    images = write_images(tmp_path / "images", 2)
    out = tmp_path / "t.csv"
    result = converted("easy-vqa", "--questions", path, "--images", images, "--out", out)
    table = read_questions(out, images=images)
    assert table.answers == [("blue",), ("circle",), ("no",)]
    assert table.types == ["color", "shape", "yes/no"]
    assert table.image_index.tolist() == [0, 0, 1]
    assert "3 questions on 2 images" in result.stdout
    assert "warning" not in result.stderr


def test_a_folder_of_images_for_each_answer_trains(tmp_path):
    for answer in ("màu đỏ", "xanh"):
        write_images(tmp_path / "tree" / answer / "deeper", 10)
    (tmp_path / "tree" / "notes.txt").write_text("no image")
    out = tmp_path / "t.csv"
    result = converted("folders", tmp_path / "tree", "--question", "màu gì?", "--out", out)
    assert "20 questions on 20 images" in result.stdout
    table = read_questions(out, images=tmp_path / "tree")
    assert set(table.questions) == {"màu gì?"}
    assert sorted(set(table.answers)) == [("màu đỏ",), ("xanh",)]
    own = [f"data.train={out}", f"data.images={tmp_path / 'tree'}"]
    options = [
        part
        for text in [*TINY[1::2], *own]
        if not text.startswith("data.scene")
        for part in ("--set", text)
    ]
    run = tmp_path / "run"
    finished = subprocess.run(
        [sys.executable, "-m", "latentvqa", "train", *options, "--out", str(run)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert (run / "best").exists()


def test_images_that_are_not_there_are_counted_and_named(vqa, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "COCO_train2014_000000000009.jpg").write_bytes(b"")
    result = converted(
        *("vqa-v2", "--questions", vqa[0], "--annotations", vqa[1]),
        *("--images", tmp_path / "images", "--out", tmp_path / "t.csv"),
    )
    assert "1 image not in" in result.stderr
    assert "COCO_train2014_000000458752.jpg" in result.stderr
    assert len(as_read(tmp_path / "t.csv")) == 2


def edited(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("which", "change", "told"),
    [
        (0, lambda c: c["questions"][1].pop("image_id"), r'questions[1]: no "image_id"'),
        (0, lambda c: c["questions"].append(c["questions"][0]), "9000 stands there twice"),
        (0, lambda c: c["questions"].pop(), "1 annotations have no question"),
        (0, lambda c: c["questions"][1].update(image_id=9.7), 'questions[1]: "image_id" is 9.7'),
        (0, lambda c: c["questions"][1].update(question=" "), 'questions[1]: "question" is blank'),
        (0, lambda c: c.pop("data_subtype"), 'no "data_subtype"'),
        (0, lambda c: c.update(questions={}), 'no list "questions"'),
        (1, lambda c: c["annotations"].pop(), "no annotation of question_id 458752000"),
        (1, lambda c: c["annotations"][0].update(answers="net"), '"answers" is no list'),
        (1, lambda c: c["annotations"][0].update(answers=[]), "no answer in it"),
        (1, lambda c: c["annotations"][0]["answers"][3].pop("answer"), "answers[3]"),
        (1, lambda c: c["annotations"][0]["answers"][3].update(answer="\ud800"), "answers[3]"),
    ],
)
def test_a_fault_names_file_and_entry(vqa, tmp_path, which, change, told):
    edited(vqa[which], change)
    message = fault(
        "vqa-v2", "--questions", vqa[0], "--annotations", vqa[1], "--out", tmp_path / "t.csv"
    )
    assert told in message
    assert ".json" in message
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("kind", ["vqa-v2", "gqa", "clevr", "easy-vqa"])
@pytest.mark.parametrize("content", ["{", "[]", "3", '{"questions": [1]}', '[["a"]]', "\x00"])
def test_no_file_of_another_layout_gives_a_traceback(kind, content, tmp_path):
    path = tmp_path / "q.json"
    path.write_text(content)
    message = fault(kind, "--questions", path, "--out", tmp_path / "t.csv")
    assert "q.json" in message or "nothing to convert" in message
    assert not (tmp_path / "t.csv").exists()


def test_a_table_is_replaced_only_when_asked(vqa, tmp_path):
    out = tmp_path / "t.csv"
    out.write_text("mine")
    arguments = ("vqa-v2", "--questions", vqa[0], "--out", out)
    assert "--overwrite" in fault(*arguments)
    assert "--overwrite" in fault("vqa-v2", "--questions", tmp_path / "unread", "--out", out)
    assert out.read_text() == "mine"
    converted(*arguments, "--overwrite")
    assert out.read_text() != "mine"


def test_an_unknown_format_and_a_missing_file_are_named(vqa, tmp_path):
    assert ".parquet" in fault("vqa-v2", "--questions", vqa[0], "--out", tmp_path / "t.xlsx")
    assert "no such file" in fault("gqa", "--questions", tmp_path / "x.json", "--out", "t.csv")
    assert "no such folder" in fault("folders", tmp_path / "x", "--out", "t.csv")


def test_images_beside_the_folders_of_answers_are_told(tmp_path):
    write_images(tmp_path / "tree" / "cat", 2)
    write_images(tmp_path / "tree", 3)
    message = fault("folders", tmp_path / "tree", "--out", tmp_path / "t.csv")
    assert "no folder names the answer of 3 images" in message and "0.png" in message
    assert not (tmp_path / "t.csv").exists()
