"""What is written, and that nothing is where something is in the way."""

import hashlib
import json

import pytest
import torch

from latentvqa.data.tokenizer import BOS, EOS, PAD, UNK
from latentvqa.engine.export.export import export_model, require_free
from latentvqa.engine.runs.loading import load_model
from latentvqa.errors import CheckpointError, OutputError
from tests.exported_run import exported
from tests.small_runs import read_only

__all__ = ["exported"]


@pytest.fixture
def loaded(finished):
    return load_model(finished.run, "cpu")


@pytest.mark.heavy
def test_the_facts_are_those_of_the_run(exported):
    loaded = load_model(exported.run, "cpu")
    facts = json.loads((exported.folder / "model.json").read_text())
    weights = (loaded.folder / "model.safetensors").read_bytes()
    assert facts["source"] == {
        "run": exported.run.name,
        "checkpoint": loaded.folder.name,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    for name, known in facts["files"].items():
        assert hashlib.sha256((exported.folder / name).read_bytes()).hexdigest() == known
    assert set(facts["files"]) == {"encoder.onnx", "decoder.onnx", "tokens.json"}
    preparation = loaded.model.vision.preparation
    assert facts["image"]["size"] == preparation.size == 48
    assert facts["image"]["mean"] == list(preparation.mean)
    assert facts["image"]["std"] == list(preparation.std)
    assert facts["image"]["resampling"] == preparation.interpolation
    assert facts["question"]["longest"] == loaded.spec.max_question_tokens
    assert (facts["question"]["padding"], facts["question"]["unknown"]) == (PAD, UNK)
    assert (facts["answer"]["begin"], facts["answer"]["end"]) == (BOS, EOS)
    assert facts["answer"]["longest"] == loaded.spec.max_answer_tokens + 1
    assert facts["latents"] == {"kind": "gaussian", "tokens": 6, "dims": 16}


class Unfollowed(torch.nn.Module):
    def forward(self, images):
        raise ValueError("a backbone of another kind")


@pytest.mark.heavy
def test_a_model_that_cannot_be_exported_leaves_nothing(loaded, tmp_path):
    loaded.model.vision.backbone = Unfollowed()
    with pytest.raises(CheckpointError, match="its encoder cannot be exported"):
        export_model(loaded, tmp_path / "onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_no_export_may_touch_is_refused_before_the_work(finished, tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(OutputError, match="is a file"):
        require_free(file, finished.run, overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        require_free(file / "below", finished.run, overwrite=True)
    checkpoint = load_model(finished.run, "cpu").folder
    (tmp_path / "link").symlink_to(finished.run)
    for one in (finished.run, checkpoint, checkpoint.parent, tmp_path / "link"):
        for exported_run in (finished.run, tmp_path / "another"):
            with pytest.raises(OutputError, match="is of a run"):
                require_free(one, exported_run, overwrite=True)
    require_free(finished.run / "onnx", finished.run, overwrite=False)
    (tmp_path / "link").unlink()
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "model.json").symlink_to(checkpoint / "model.json")
    with pytest.raises(OutputError, match=r"model\.json.*the same command needs"):
        require_free(linked, finished.run, overwrite=True)
    (linked / "model.json").unlink()
    linked.rmdir()
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "tokens.json").write_text("{}")
    with pytest.raises(OutputError, match=r"tokens\.json: is there already"):
        require_free(earlier, finished.run, overwrite=False)
    require_free(earlier, finished.run, overwrite=True)
    require_free(tmp_path / "new" / "folder", finished.run, overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["earlier", "file"]


def test_a_folder_that_cannot_be_written_is_told_before_the_work(finished, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    with read_only(place), pytest.raises(OutputError, match="cannot be written"):
        require_free(place / "onnx", finished.run, overwrite=False)
