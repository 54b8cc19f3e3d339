"""What presets say of themselves."""

from latentvqa.config import preset_names
from latentvqa.config.preset_facts import preset_facts


def test_every_preset_says_what_it_is_for_and_what_it_reached():
    facts = preset_facts()
    assert [one.name for one in facts] == preset_names()
    for one in facts:
        assert one.purpose and one.expected, one.name
        assert "Expected" not in one.purpose
