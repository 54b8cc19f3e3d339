import json
import math

import pytest

from latentvqa.data.converters.rows import ConvertedRow
from latentvqa.data.converters.vqa_v2 import read_vqa_v2
from latentvqa.errors import DataError

QUESTION = {"image_id": 9, "question": "What is it?", "question_id": 9000}
ANNOTATION = {
    "question_id": 9000,
    "answers": [{"answer": "net"}, {"answer": "a net"}, {"answer": " "}, {"answer": "net"}],
    "answer_type": "other",
}


def read(tmp_path, questions=(QUESTION,), annotations=(ANNOTATION,), **top):
    paths = tmp_path / "questions.json", tmp_path / "annotations.json"
    content = {
        "data_type": "mscoco",
        "data_subtype": "val2014",
        "questions": list(questions),
        **top,
    }
    paths[0].write_text(json.dumps(content))
    paths[1].write_text(json.dumps({"annotations": list(annotations or ())}))
    return read_vqa_v2(paths[0], None if annotations is None else paths[1])


def test_questions_and_annotations_are_joined_by_id_in_the_order_of_the_questions(tmp_path):
    questions = [QUESTION, {**QUESTION, "question_id": 1, "question": "Why?"}]
    annotations = [{**ANNOTATION, "question_id": 1, "answers": [{"answer": "so"}]}, ANNOTATION]
    assert read(tmp_path, questions, annotations) == [
        ConvertedRow(
            "COCO_val2014_000000000009.jpg",
            "What is it?",
            ("net", "a net", "net"),  # each annotator counts, blank ones do not
            "other",
            "9000",
        ),
        ConvertedRow("COCO_val2014_000000000009.jpg", "Why?", ("so",), "other", "1"),
    ]


@pytest.mark.parametrize(
    ("top", "image"),
    [
        ({"data_subtype": "test-dev2015"}, "COCO_test2015_000000000009.jpg"),
        (
            {"data_type": "abstract_v002", "data_subtype": "train2015"},
            "abstract_v002_train2015_000000000009.png",
        ),
    ],
)
def test_images_are_named_by_type_and_subtype(top, image, tmp_path):
    (row,) = read(tmp_path, annotations=None, **top)
    assert (row.image, row.answers, row.type) == (image, (), "")


@pytest.mark.parametrize(
    ("questions", "annotations", "told"),
    [
        (
            [QUESTION, QUESTION],
            [ANNOTATION],
            r"questions\[1\]: question_id 9000 stands .* twice",
        ),
        ([QUESTION], [ANNOTATION] * 2, r"annotations\[1\]: question_id 9000 stands there twice"),
        ([QUESTION], [], "no annotation of question_id 9000"),
        ([], [ANNOTATION], "1 annotations have no question"),
        ([{**QUESTION, "image_id": "x"}], [ANNOTATION], "not a whole number"),
        ([QUESTION], [{**ANNOTATION, "answers": [{"answer": ""}]}], "no answer in it"),
        ([QUESTION], [{**ANNOTATION, "answers": [{"answer": ["x"]}]}], r"answers\[0\]"),
        ([QUESTION], [{**ANNOTATION, "answers": [{"answer": math.nan}]}], "is nan, not a text"),
        (
            [QUESTION],
            [{**ANNOTATION, "image_id": 8}],
            r"question_id 9000 is about image_id 8, and about 9 in .*: questions\[0\]",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused_with_the_place(questions, annotations, told, tmp_path):
    with pytest.raises(DataError, match=told):
        read(tmp_path, questions, annotations)


def test_files_of_two_splits_are_refused_even_where_their_ids_agree(tmp_path):
    (tmp_path / "other.json").write_text(
        json.dumps({"data_subtype": "train2014", "annotations": [ANNOTATION]})
    )
    read(tmp_path)
    with pytest.raises(DataError, match=r"other\.json: of train2014, and .* is of val2014"):
        read_vqa_v2(tmp_path / "questions.json", tmp_path / "other.json")
