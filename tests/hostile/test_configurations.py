"""Three hundred configurations through the command line, faulty ones before torch is loaded."""

import tomllib

import pytest

from latentvqa.config import load_config
from tests.hostile.configurations import hostile_configuration
from tests.hostile.outcome import Accepted, require_plain, require_sentence


def check(seed, cli, folder):
    options, outcome = hostile_configuration(seed, folder)
    table = folder / "t.csv"
    table.write_text("image,question,answer\na.png,q,yes\nb.png,q,no\n")
    answer = cli("data", "audit", table, *options)
    require_plain(answer)
    if not isinstance(outcome, Accepted):
        require_sentence(answer, outcome, 2)
        return
    assert answer.code == 0, answer.err
    overrides = [text for text in options[2:] if text != "--set"]
    config = load_config(options[1], overrides=["data.scenes=easy", *overrides])
    for key, value in outcome.values.items():
        section, name = key.split(".")
        assert getattr(getattr(config, section), name) == tomllib.loads(f"v = {value}")["v"], key


@pytest.mark.parametrize("seed", range(100))
def test_a_hostile_configuration_is_taken_or_refused_with_every_key_that_is_wrong(
    seed, cli, tmp_path
):
    check(seed, cli, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 300))
def test_two_hundred_more_configurations(seed, cli, tmp_path):
    check(seed, cli, tmp_path)
