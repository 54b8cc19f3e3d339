"""A configuration with what its keys mean."""

import tomllib

from latentvqa.config.commented import commented_toml
from latentvqa.config.sections import Config


def test_every_key_stands_below_its_meaning_and_reads_back():
    keys = {
        "data": {"train": 'a "b".csv', "columns": {"image": "img id", "question": "hỏi"}},
        "vision": {"image_size": 96, "pretrained": True},
        "kl": {"free_bits": 0.1},
    }
    text = commented_toml("First.\nSecond.", keys, {"vision": "Of the eye.", "kl.free_bits": "x"})
    assert tomllib.loads(text) == keys
    assert text.startswith("# First.\n# Second.\n\n[data]\n")
    assert "# Of the eye.\n[vision]\n" in text
    lines = text.splitlines()
    meaning = Config.model_fields["vision"].annotation.model_fields["image_size"].description
    assert f"# {meaning}" == lines[lines.index("image_size = 96") - 1]
    assert max(map(len, lines)) <= 90
