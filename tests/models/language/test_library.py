import json
import subprocess
import sys
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from latentvqa.engine.language.reading import read_language_model
from latentvqa.errors import ConfigError
from latentvqa.models.language.library import (
    LanguageModel,
    model_from_shape,
    read_model,
    read_pretrained,
)
from tests.language_models import write_language_model


def test_a_description_survives_json(tmp_path):
    model, _ = read_language_model(write_language_model("mbart", tmp_path), "text.encoder")
    assert LanguageModel.from_json(json.loads(json.dumps(asdict(model)))) == model


def test_a_folder_that_is_missing_is_named_with_its_key(tmp_path):
    with pytest.raises(ConfigError, match=r"text\.encoder: there is no folder .*nowhere"):
        read_pretrained("AutoModel", tmp_path / "nowhere", "text.encoder")


def test_a_hub_that_is_not_reached_says_what_to_fetch_and_what_trains_meanwhile(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConfigError) as caught:
        read_pretrained("AutoModel", "hf-hub:owner/model", "text.encoder")
    message = str(caught.value)
    assert "owner/model" in message
    assert "set text.encoder to its path" in message
    assert "with text.encoder left out trains" in message


def changed(folder, change, suffix="safetensors"):
    """The folder with its weights changed, in a file of either kind."""
    path = folder / "model.safetensors"
    weights = change(load_file(path))
    path.unlink()
    if suffix == "bin":
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        save_file(weights, path, {"format": "pt"})
    return folder


def without(part):
    return lambda weights: {name: one for name, one in weights.items() if part not in name}


def test_a_folder_of_plain_tensors_is_the_same_model(tmp_path):
    folder = write_language_model("bert", tmp_path)
    known = load_file(folder / "model.safetensors")
    model = read_model("AutoModel", changed(folder, dict, "bin"), "text.encoder")
    state = model.state_dict()
    assert all(torch.equal(state[name], one) for name, one in known.items())


def test_pickled_code_in_a_folder_is_never_run(tmp_path):
    ran = tmp_path / "ran"
    code = type("Runs", (), {"__reduce__": lambda self: (open, (str(ran), "w"))})()
    folder = changed(
        write_language_model("bert", tmp_path / "model"), lambda one: {**one, "x": code}, "bin"
    )
    with pytest.raises(ConfigError, match=r"text\.encoder: .*cannot be read") as caught:
        read_model("AutoModel", folder, "text.encoder")
    assert "\n" not in str(caught.value)
    assert not ran.exists()


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
@pytest.mark.parametrize(
    ("family", "kind"),
    [("bert", "AutoModel"), ("gpt2", "AutoModelForCausalLM"), ("bart", "AutoModelForSeq2SeqLM")],
)
def test_a_part_of_the_weights_is_never_taken_in_silence(tmp_path, family, kind, suffix):
    part = {"bert": "layer.1.", "gpt2": "h.1.", "bart": "decoder.layers.1."}[family]
    folder = changed(write_language_model(family, tmp_path), without(part), suffix)
    with pytest.raises(ConfigError) as caught:
        read_model(kind, folder, "text.encoder")
    message = str(caught.value)
    assert message.startswith(f"text.encoder: {folder} holds ")
    assert "tensors of its model; it lacks" in message
    assert part in message
    assert "\n" not in message


def test_a_weight_of_another_shape_is_told_with_both(tmp_path):
    folder = changed(
        write_language_model("bert", tmp_path),
        lambda one: {**one, "embeddings.LayerNorm.bias": torch.ones(7)},
    )
    said = r"embeddings\.LayerNorm\.bias has the shape \(7,\) there and \(16,\) in the model"
    with pytest.raises(ConfigError, match=said):
        read_model("AutoModel", folder, "text.encoder")


def test_what_is_not_used_may_be_missing(tmp_path):
    folder = changed(write_language_model("bert", tmp_path / "bert"), without("pooler."))
    read_model("AutoModel", folder, "text.encoder")
    pair = changed(write_language_model("bart", tmp_path / "bart"), without("decoder."))
    read_model("AutoModel", pair, "text.encoder", lambda whole: whole.get_encoder())
    with pytest.raises(ConfigError, match="it lacks decoder"):
        read_model("AutoModel", pair, "text.encoder")


def test_a_kind_that_the_library_does_not_know_is_a_fault_not_a_traceback():
    with pytest.raises(ConfigError, match="cannot build a 'no-such-kind'"):
        model_from_shape("AutoModel", {"model_type": "no-such-kind"}, "text.encoder")


@pytest.mark.parametrize("module", ["transformers", "peft"])
def test_without_the_library_the_message_says_what_to_install(tmp_path, module):
    folder = write_language_model("bert", tmp_path)
    code = f"""if True:
        import sys
        sys.modules[{module!r}] = None
        from pathlib import Path
        from torch import nn
        from latentvqa.errors import ConfigError
        from latentvqa.models.language.library import read_pretrained
        from latentvqa.models.low_rank import add_lora
        try:
            if {module!r} == "peft":
                add_lora(nn.Linear(2, 2), 1, "text.lora_rank")
            read_pretrained("AutoModel", Path({str(folder)!r}), "text.encoder")
        except ConfigError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"needs the {module} library, which is not installed" in done.stdout
    assert 'pip install "latentvqa[hf]"' in done.stdout
