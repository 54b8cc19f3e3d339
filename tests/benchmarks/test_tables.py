import pytest

from tests.benchmarks.ablations import record
from tests.benchmarks.tables import DOCUMENT, ablation_tables, filled


def test_the_results_page_shows_the_recorded_results():
    text = DOCUMENT.read_text(encoding="utf-8")
    assert filled(text) == text, "run: python -m tests.benchmarks.tables"


def found(state="finished"):
    """What ``ablate`` wrote of two arms with two seeds."""

    def run(number, arm, seed, exact_match):
        metrics = {"exact_match": exact_match, "answer_loss": 0.05, "epochs": 9.0}
        return {"number": number, "arm": arm, "seed": seed, "state": state, "metrics": metrics}

    difference = {"value": -0.05, "low": -0.075, "high": -0.025, "n": 2}
    against = {"over_seeds": {"exact_match": difference}, "over_images": None, "word": "worse"}
    return {
        "name": "kl-factor",
        "description": "KL factor",
        "default": "0.2",
        "seeds": [0, 1],
        "arms": {"0.1": {"against_default": against}, "0.2": {"against_default": None}},
        "runs": [
            run(0, "0.1", 0, 0.9),
            run(1, "0.2", 0, 0.96),
            run(2, "0.1", 1, 0.92),
            run(3, "0.2", 1, 0.96),
        ],
    }


def test_an_ablation_becomes_a_table_with_its_command_commit_and_seeds():
    lines = ablation_tables([record(found(), "abc1234")]).splitlines()
    assert lines[0] == "KL factor. `latentvqa ablate kl-factor`, seeds 0, 1, commit abc1234."
    assert lines[4] == (
        "| 0.1 | 91.0 (90.0 to 92.0) | 0.050 | - | - | - | 9 | -5.0 (-7.5 to -2.5) | worse |"
    )
    assert lines[5] == "| **0.2** (default) | 96.0 | 0.050 | - | - | - | 9 |  |  |"


def test_an_unfinished_ablation_is_not_recorded():
    with pytest.raises(ValueError, match=r"kl-factor: runs \[0, 1, 2, 3\] are not finished"):
        record(found("waiting"), "abc1234")
