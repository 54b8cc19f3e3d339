"""Errors of usage name the words to write, and take no time."""

import subprocess
import sys

import pytest

from latentvqa.cli.usage_hints import ALIASES, SECTIONS, argument_hint, matching_keys
from latentvqa.config.loading import known_keys
from tests.small_runs import ROOT

KEYS = [f"{section}.{key}" for section, keys in known_keys().items() for key in keys]


def told(answer):
    """The lines of the box of an error, without its frame."""
    return [line.strip("│ ").rstrip() for line in answer.err.splitlines() if line[:1] == "│"]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            "train --epochs 3",
            [
                "No such option: --epochs. Write one of these keys:",
                "--set stages.warmup=3",
                "--set stages.full=3",
            ],
        ),
        (
            "train --free-bits=0.05",
            [
                "No such option: --free-bits. Write the key of the configuration:",
                "--set kl.free_bits=0.05",
            ],
        ),
        (
            "train --seed --dry-run",
            [
                "No such option: --seed. Write the key of the configuration:",
                "--set run.seed=VALUE",
            ],
        ),
        ("train --frobnicate", ["No such option: --frobnicate"]),
        (
            "train run.toml",
            ["Got unexpected extra argument: run.toml. Write:", "--config run.toml"],
        ),
        (
            "train kl.factor=0.1 photos-small",
            [
                "Got unexpected extra arguments: kl.factor=0.1 photos-small. Write:",
                "--set kl.factor=0.1",
                "--preset photos-small",
            ],
        ),
        ("evaluate run t.csv", ["Got unexpected extra argument: t.csv. Write:", "--data t.csv"]),
        (
            "init t.csv photos run.toml",
            ["Got unexpected extra argument: run.toml. Write:", "--out run.toml"],
        ),
        ("runs here there", ["Got unexpected extra argument: there"]),
    ],
)
def test_an_error_of_usage_names_what_to_write(cli, here, words, lines):
    answer = cli(*words.split())
    assert answer.code == 2
    assert told(answer) == lines


@pytest.mark.parametrize(
    ("words", "meant"),
    [("evaluate run --latent_use", "--latent-use"), ("diagnose-kl log --epochs 3", "--all-epochs")],
)
def test_where_no_key_is_meant_the_nearest_option_is_named(cli, words, meant):
    answer = cli(*words.split())
    assert answer.code == 2
    assert meant in answer.err and "--set" not in answer.err


def test_a_run_is_resumed_and_a_folder_holds_images(tmp_path):
    (tmp_path / "run").mkdir()
    assert argument_hint(str(tmp_path / "run"), ["--images", "--resume"]).startswith("--images ")
    (tmp_path / "run" / "metrics.jsonl").touch()
    assert argument_hint(str(tmp_path / "run"), ["--images", "--resume"]).startswith("--resume ")


def test_an_error_of_usage_steers_no_terminal(cli):
    for words in (["train", "a\x1b[2J.toml"], ["train", "--seed=\x1b[2J"]):
        assert "\x1b[2J" not in cli(*words).err


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_found_by_its_name_however_it_is_written(key):
    name = key.partition(".")[2]
    for option in (f"--{key}", f"--{name}", f"--{name.replace('_', '-')}"):
        assert key in matching_keys(option)
    assert matching_keys(f"--{key}") == [key]


def test_aliases_and_sections_name_keys_that_there_are():
    assert {key for keys in ALIASES.values() for key in keys} <= set(KEYS)
    assert {one for sections in SECTIONS.values() for one in sections} <= known_keys().keys()
    assert not set(ALIASES) & {key.partition(".")[2] for key in KEYS}


def test_an_error_of_usage_loads_no_torch():
    told = "import sys; sys.argv = ['latentvqa', 'train', '--epochs', '3']\n"
    told += "from latentvqa.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    told += "assert not {'torch', 'pandas', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", told], check=True, cwd=ROOT)
