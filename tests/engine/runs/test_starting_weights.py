"""A run that begins with the weights of another one, on other questions."""

import pytest
import torch

from latentvqa.config import choose_started, load_config
from latentvqa.data.tokenizer import TextTokenizer, Tokenizers
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.folder import read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.starting_weights import read_starting_weights
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import ConfigError
from latentvqa.models.weights import own_state
from tests.small_runs import (
    BRIEF,
    Interrupter,
    Recorder,
    assert_same_run,
    interrupted,
    small_config,
    write_images,
    write_rows,
)
from tests.tiny import tiny_model

NEW_WORD = "zebra"


@pytest.fixture
def table(tmp_path):
    """Questions of the scenes with a word that these do not have, in question and answer."""
    images = write_images(tmp_path / "images", 24, side=48)
    rows = [
        (path.name, f"what shape is the {NEW_WORD} object?", NEW_WORD if place % 2 else "circle")
        for place, path in enumerate(sorted(images.iterdir()))
    ]
    return [f"data.train={write_rows(tmp_path / 'rows.csv', rows)}", f"data.images={images}"]


def test_a_run_begins_where_another_ended_with_its_own_words_behind(finished, table, tmp_path):
    still = [f"optimizer.{name}_rate=1e-12" for name in RATES]
    overrides = [*table, *still, "stages.warmup=1", "stages.full=0", "run.threads=1"]
    config = choose_started(read_config(finished.run), finished.run, overrides=overrides)
    recorder = Recorder()
    train(config, tmp_path / "run", recorder)
    (told,) = [text for text in recorder.notices if text.startswith("begins with the weights")]
    assert str(finished.run) in told
    assert "new:" not in told  # a longer vocabulary is no part that is left out

    before, after = (load_checkpoint(run) for run in (finished.run, tmp_path / "run"))
    old, new = (Tokenizers.from_json(one.tokenizers) for one in (before, after))
    assert new.answer.size == old.answer.size + 1
    assert new.question.size == old.question.size + 1
    known = "what shape is the circle object?"
    assert new.question.encode([known]) == old.question.encode([known])
    assert new.answer.decode(new.answer.encode([NEW_WORD])[0]) == NEW_WORD
    for name, value in before.weights.items():
        if "running" in name or "num_batches" in name:
            continue  # statistics move without a rate
        taken = after.weights[name] if value.ndim == 0 else after.weights[name][: len(value)]
        assert torch.allclose(taken, value, atol=1e-6), name


RATES = ("decoder", "latent", "fusion", "question", "vision")


def test_it_goes_on_after_an_interruption_as_if_there_had_been_none(finished, table, tmp_path):
    overrides = [*table, "stages.warmup=2", "stages.full=0", "loader.batch_size=8", "run.threads=1"]
    config = choose_started(read_config(finished.run), finished.run, overrides=overrides)
    train(config, tmp_path / "whole", Recorder())
    with interrupted():
        train(config, tmp_path / "parts", Interrupter("epoch 1", 1))
    resume(tmp_path / "parts", None, Recorder())
    assert_same_run(tmp_path / "parts", tmp_path / "whole")
    assert load_model(tmp_path / "parts").tokenizers.answer.size > 4


def test_what_does_not_fit_is_new_and_told(finished, tmp_path):
    config = small_config(*BRIEF, "latent.tokens=3", f"run.init_from={finished.run}")
    recorder = Recorder()
    train(config, tmp_path / "run", recorder)
    (told,) = [text for text in recorder.notices if text.startswith("begins with the weights")]
    assert "; new: bottleneck " in told


def test_a_model_of_another_kind_is_refused(finished):
    other = tiny_model(fusion={"width": 64, "heads": 2}, vision={"name": "test_vit", **WHOLE})
    beginning = read_starting_weights(finished.run)
    with pytest.raises(ConfigError, match=r"run\.init_from: no weight of .* its config\.toml"):
        beginning.give_to(other)


WHOLE = {"image_size": 32, "stride": "last"}


def test_a_run_cannot_change_what_it_began_with(finished, tmp_path):
    wanted = load_config(finished.run / "config.toml", overrides=[f"run.init_from={finished.run}"])
    with pytest.raises(ConfigError, match=r"run\.init_from"):
        resume(finished.run, wanted, Recorder())


def test_byte_pairs_and_pretrained_vocabularies_stay_as_they_are():
    shared = {"vocab_size": 300, "min_count": 1, "lowercase": True, "split_punctuation": True}
    word, pairs = (TextTokenizer.train(["a b"], kind=kind, **shared) for kind in ("word", "bpe"))
    assert word.after(pairs, 300) is pairs
    assert pairs.after(word, 300) is word
    more = TextTokenizer.train(["c b d"], kind="word", **shared)
    joined = more.after(word, 300)
    assert joined.encode(["a b"]) == word.encode(["a b"])
    assert joined.decode(joined.encode(["d c a"])[0]) == "d c a"
    assert more.after(word, 4).size == word.size  # no room for more


def test_every_weight_of_the_same_shape_is_taken(finished):
    beginning = read_starting_weights(finished.run)
    model = load_model(finished.run).model
    wanted = {name: value.clone() for name, value in own_state(model).items()}
    with torch.no_grad():
        for value in model.state_dict().values():
            value.zero_()
    beginning.give_to(model)
    assert all(torch.equal(value, wanted[name]) for name, value in own_state(model).items())
