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


def test_no_name_of_a_file_ends_a_comment_or_makes_it_unreadable():
    keys = {"kl": {"free_bits": 0.1}}
    heading = "as a\x00\x1b[31m\x7f\x85\u2028\r\udcff.png\nand more"
    text = commented_toml(heading, keys, {"kl.free_bits": heading})
    assert tomllib.loads(text) == keys
    assert text.startswith(r"# as a\x00\x1b[31m\x7f\x85\u2028\r\udcff.png")
    assert text.encode()
