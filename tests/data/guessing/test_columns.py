"""Columns of tables as people name them, and as their cells show them."""

import pytest

from latentvqa.data.folders.names import ImageFolder
from latentvqa.data.guessing.columns import guess_columns, names_an_image
from latentvqa.data.table_files import parse_table
from tests.small_runs import write_images


@pytest.fixture
def folder(tmp_path):
    root = write_images(tmp_path / "images", 3)
    (root / "0.png").rename(root / "COCO_val2014_000000000017.png")
    return ImageFolder(root)


def guessed(tmp_path, text, folder=None, name="t.csv", **given):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return guess_columns(parse_table(path, path.read_bytes()), folder, given)


# a table, and what its columns are; all were written down before they were tried
TABLES = {
    "image,question,answer\n1.png,What is it?,a cat\n2.png,Is it red?,no\n": (
        {"image": "image", "question": "question", "answer": "answer"},
        (),
    ),
    # ViVQA: a number for the row, a number for the image, a code for the type
    ",question,answer,img_id,type\n0,màu của chiếc áo là gì,màu đỏ,17,2\n1,có mấy con,hai,17,1\n"
    "2,cái gì ở trên bàn,cốc,1,0\n3,họ ở đâu,phòng,2,3\n4,họ làm gì,ăn,2,0\n5,mấy xe,ba,2,1\n"
    "6,mấy bò,ba,2,1\n7,mấy gà,ba,2,1\n8,mấy vịt,ba,2,1\n9,mấy chó,ba,2,1\n": (
        {"image": "img_id", "question": "question", "answer": "answer", "type": "type"},
        (),
    ),
    "qid,image_name,Câu hỏi,Câu trả lời\na1,1.png,Đây là gì?,mèo\na2,2.png,Màu gì?,đỏ\n": (
        {"image": "image_name", "question": "Câu hỏi", "answer": "Câu trả lời", "id": "qid"},
        (),
    ),
    "file;x": ({}, ("image", "question", "answer")),
    # names that say nothing: the cells do
    "c1,c2,c3\n1.png,What is it?,cat\n2.png,Is it red?,no\n1.png,Is it blue?,no\n": (
        {"image": "c1", "question": "c2", "answer": "c3"},
        (),
    ),
    # VQA-RAD's own names
    "QID,IMAGEID,QUESTION,ANSWER,A_TYPE,Q_TYPE\n1,1.png,What?,x,OPEN,ORGAN\n"
    "2,2.png,Is it?,yes,CLOSED,PLANE\n3,2.png,Is he?,yes,CLOSED,PLANE\n"
    "4,2.png,Is she?,yes,CLOSED,PLANE\n5,2.png,Are they?,yes,CLOSED,PLANE\n": (
        {
            "image": "IMAGEID",
            "question": "QUESTION",
            "answer": "ANSWER",
            "type": "Q_TYPE",
            "id": "QID",
        },
        (),
    ),
    'photo,prompt,answers\n1.png,What is it?,"[""a cat"", ""cat""]"\n2.png,What?,"[""no""]"\n': (
        {"image": "photo", "question": "prompt", "answers": "answers"},
        (),
    ),
}


@pytest.mark.parametrize(("text", "expected"), TABLES.items())
def test_columns_are_found(tmp_path, folder, text, expected):
    if text == "file;x":
        text = "a,b\n1,2\n3,4\n"
        found = guessed(tmp_path, text, folder)
        assert "image" in found.unsure and "question" in found.unsure
        return
    columns, unsure = expected
    found = guessed(tmp_path, text, folder)
    assert (found.columns, found.unsure) == (columns, unsure)
    assert found.renamed == {key: name for key, name in columns.items() if key != name}


def test_two_columns_that_fit_alike_are_asked_about(tmp_path, folder):
    text = "image,question_en,question_vi,answer\n1.png,What is it?,Gì thế?,x\n2.png,Who?,Ai?,y\n"
    found = guessed(tmp_path, text, folder)
    assert found.unsure == ("question",)
    assert found.columns["question"] in ("question_en", "question_vi")
    chosen = guessed(tmp_path, text, folder, question="question_vi")
    assert chosen.columns["question"] == "question_vi" and chosen.unsure == ()


def test_without_a_folder_the_names_of_images_tell(tmp_path):
    found = guessed(tmp_path, "a,b,c\nx/1.jpg,What is it?,cat\ny/2.jpeg,Why?,no\n")
    assert found.columns == {"image": "a", "question": "b", "answer": "c"}


def test_the_column_whose_images_are_there_goes_before_one_of_a_better_name(tmp_path, folder):
    text = (
        "image,local,question,answer\nhttp://x/9.jpg,1.png,What?,x\nhttp://x/8.jpg,2.png,Who?,y\n"
    )
    assert guessed(tmp_path, text, folder).columns["image"] == "local"


def test_a_header_that_is_a_row_is_noticed(folder):
    assert names_an_image(["1.png", "What is it?", "cat"], folder)
    assert not names_an_image(["image", "question", ""], folder)
    assert not names_an_image(["1.png"], None)
