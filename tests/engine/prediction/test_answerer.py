import numpy as np
import pytest

from latentvqa.data.tokenizer import UNK
from latentvqa.engine.prediction.answerer import BatchAnswerer, question_note
from latentvqa.engine.runs.loading import load_model


@pytest.mark.parametrize(
    ("ids", "note"),
    [
        ([7, 8, 9], ""),
        ([7, UNK, 9], "1 of 3 words unknown"),
        ([UNK, UNK], "no known word"),
        ([], "no known word"),
        ([7, 8, 9, 7], "cut to 3 of 4 tokens"),
        ([7, UNK, 9, UNK], "cut to 3 of 4 tokens; 1 of 3 words unknown"),
    ],
)
def test_what_a_model_cannot_read_of_a_question_is_noted(ids: list[int], note: str) -> None:
    assert question_note(ids, 3) == note


def test_answers_come_image_by_image_and_others_leave_them_as_they_are(finished):
    loaded = load_model(finished.run)
    size = loaded.model.vision.preparation.size
    pixels = np.random.default_rng(0).integers(0, 256, (3, 3, size, size)).astype(np.uint8)
    asked = ["what shape is the red object?", "how many circles are there?"]
    plain = BatchAnswerer(loaded, asked, 0, is_explained=False).answer(pixels)
    more = BatchAnswerer(loaded, asked, 0, is_explained=True, top=3).answer(pixels)
    assert [len(row) for row in plain] == [2, 2, 2]
    for one, other in zip(plain, more, strict=True):
        for (answer, share, attention, none), (same, likewise, seen, others) in zip(
            one, other, strict=True
        ):
            assert (answer, share) == (same, likewise)
            assert attention is None and none == ()
            assert seen is not None and len(others) == 2
            assert answer not in dict(others)
