import pytest

from latentvqa.data.blind.files import from_bytes, to_bytes
from latentvqa.data.blind.models import fit_blind_models
from latentvqa.errors import CheckpointError
from tests.data.blind.made import filler_texts, made_rows

VOCABULARY = 200


def test_what_is_written_reads_back_the_same():
    models = fit_blind_models(filler_texts(300, 8, seed=0), VOCABULARY)
    content, weights = to_bytes(models)
    back = from_bytes(content, weights, "priors")
    fresh = filler_texts(50, 8, seed=1)
    for name, nats in models.nats(fresh).items():
        assert (back.nats(fresh)[name] == nats).all(), name
    assert back.answers(fresh) == models.answers(fresh)


def test_damaged_and_newer_files_are_refused():
    content, weights = to_bytes(fit_blind_models(filler_texts(100, 3, seed=0), VOCABULARY))
    for bad in (b"", content[:-9], b"[]", content.replace(b'"tokens"', b'"t"')):
        with pytest.raises(CheckpointError, match="damaged"):
            from_bytes(bad, weights, "priors.json")
    with pytest.raises(CheckpointError, match="damaged"):
        from_bytes(content, weights[:40], "priors.json")
    newer = content.replace(b'"schema":1', b'"schema":2')
    with pytest.raises(CheckpointError, match="newer LatentVQA"):
        from_bytes(newer, weights, "priors.json")


def test_models_without_words_read_back_the_same():
    rows = made_rows(["a", "a", "b"], [1, 1, 0], types=["x", "x", "y"])
    models = fit_blind_models(rows, VOCABULARY, most_word_rows=0)
    back = from_bytes(*to_bytes(models), "priors")
    assert back.names == models.names
    assert back.words is None
    assert back.answers(rows) == models.answers(rows)
