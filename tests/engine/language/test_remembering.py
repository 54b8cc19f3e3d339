import pytest
import torch

from latentvqa.data.batches import EncodedTable
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import Tokenizers
from latentvqa.engine.language.reading import read_language_model
from latentvqa.engine.language.remembering import remember_questions
from latentvqa.engine.runtime.observer import Observer
from latentvqa.models import PretrainedQuestionEncoder
from tests.language_models import write_language_model
from tests.small_runs import Interrupter, interrupted, write_images, write_rows
from tests.tiny import tiny_model, tiny_tokenizers

CPU = torch.device("cpu")
ROWS = [
    ("0.png", "is it round ?", "yes"),
    ("0.png", "how many ?", "two"),
    ("1.png", "is it round ?", "no"),
]


class Progress(Observer):
    def __init__(self):
        self.seen = []

    def progress(self, phase, done, total):
        self.seen.append((phase, done, total))


@pytest.fixture
def asked(tmp_path):
    folder = write_language_model("bert", tmp_path / "bert")
    model, tokenizer = read_language_model(folder, "text.encoder")
    images = write_images(tmp_path / "images", 2)
    table = read_questions(write_rows(tmp_path / "table.csv", ROWS), images=images)
    return model, EncodedTable(table, Tokenizers(tokenizer, tiny_tokenizers().answer), 32, 8)


def model_with(encoder):
    model = tiny_model()
    model.question = encoder
    return model


def test_each_question_is_encoded_once_and_never_again(asked, monkeypatch):
    shape, table = asked
    model = model_with(PretrainedQuestionEncoder(shape, width=16).train())
    progress = Progress()
    remember_questions(model, table.distinct_questions() * 2, CPU, progress)
    assert progress.seen == [("questions", 2, 2)]
    assert model.question.training
    monkeypatch.setattr(model.question.backbone, "forward", None)  # it would fail
    tokens = torch.tensor([table.question_ids(0), table.question_ids(2)])
    vectors, _ = model.question(tokens)
    assert torch.equal(vectors[0], vectors[1])


@pytest.mark.parametrize("trained", [None, 1])
def test_a_language_model_that_is_trained_is_left_alone(asked, trained):
    shape, table = asked
    model = model_with(PretrainedQuestionEncoder(shape, width=16, trained_layers=trained))
    progress = Progress()
    remember_questions(model, table.distinct_questions(), CPU, progress)
    remember_questions(tiny_model(), table.distinct_questions(), CPU, progress)
    assert progress.seen == []


def test_a_signal_ends_it(asked):
    shape, table = asked
    model = model_with(PretrainedQuestionEncoder(shape, width=16))
    with interrupted():
        remember_questions(model, table.distinct_questions(), CPU, Interrupter("questions", 1))
