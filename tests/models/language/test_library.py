import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from latentvqa.engine.language.reading import read_language_model
from latentvqa.errors import ConfigError
from latentvqa.models.language.library import (
    LanguageModel,
    model_from_shape,
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
