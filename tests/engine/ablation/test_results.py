"""Runs on disk as arms: their spread, their comparison, and what cannot be read."""

import csv
import json
from dataclasses import replace

import pytest

from latentvqa.config import config_to_toml, load_plan
from latentvqa.core.ablation import ArmResult, Comparison
from latentvqa.core.estimates import Estimate
from latentvqa.engine.ablation.results import collect_results, corrected_for_arms, outcome_of
from latentvqa.engine.ablation.runs import Ending, places_of
from latentvqa.errors import CheckpointError
from latentvqa.history import LOG_NAME, append_record, write_header
from tests.runs import HEADER, make_run
from tests.small_runs import BRIEF, small_config

SHOWN = Estimate(0.1, 0.05, 0.15, 3)


def arm(name, p_value):
    comparison = Comparison({"exact_match": SHOWN}, SHOWN, p_value)
    return ArmResult(name, {}, {}, comparison)


def test_the_p_values_of_all_compared_arms_are_corrected_together():
    default = ArmResult("default", {}, {}, None)
    arms = [default, arm("a", 0.03), arm("b", 0.01), arm("unpaired", None), arm("c", 0.04)]
    assert {one.comparison.word for one in arms if one.comparison} == {"better"}
    corrected = corrected_for_arms(arms)
    assert [one.name for one in corrected] == [one.name for one in arms]
    assert corrected[0] is default
    found = [one.comparison for one in corrected[1:]]
    assert [one.p_holm for one in found] == [0.06, 0.03, None, 0.06]
    assert [one.word for one in found] == [
        "no difference shown",
        "better",
        "better",
        "no difference shown",
    ]


def test_one_arm_is_not_corrected():
    (found,) = corrected_for_arms([arm("a", 0.03)])
    assert found.comparison.p_holm == found.comparison.p_value


@pytest.fixture
def plan(tmp_path):
    """Two arms, two seeds, and the places of their runs by arm and seed."""
    (tmp_path / "small.toml").write_text(config_to_toml(small_config(*BRIEF)), encoding="utf-8")
    (tmp_path / "plan.toml").write_text(
        'default = "plain"\nseeds = [0, 1]\nconfig = "small.toml"\n'
        '[arms]\nplain = {}\nnarrow = { "latent.dims" = 8 }\n'
    )
    ablation = load_plan(str(tmp_path / "plan.toml"))
    places = places_of(ablation, tmp_path / "out")
    return ablation, {(place.arm, place.seed): place for place in places}


def finish(place, rights, *, kl_raw=0.2, data="the table", rows=0):
    """Write what a finished run leaves: its answers, scores and log."""
    place.evaluation.mkdir(parents=True)
    with (place.evaluation / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "image", "question", "reference", "correct"])
        for row, is_right in enumerate(rights):
            writer.writerow([row + rows, f"{row // 2}.png", "what?", "yes", int(is_right)])
    scores = {"exact_match": {"value": sum(rights) / len(rights)}}
    losses = {"answer_loss": 0.5, "kl_raw": kl_raw, "kl_after": 0.15, "rate": 3.0}
    written = {"metrics": scores, "losses": losses}
    (place.evaluation / "evaluation.json").write_text(json.dumps(written))
    header = replace(HEADER, data={"train": {"sha256": data}})
    write_header(place.folder / LOG_NAME, header)
    for record in make_run(2):
        append_record(place.folder / LOG_NAME, record)
    place.write_ending(Ending(0))


def test_the_arms_are_the_means_of_their_finished_runs_and_compared_seed_by_seed(plan, tmp_path):
    ablation, places = plan
    rights = {
        ("plain", 0): [1, 1, 0, 0],
        ("plain", 1): [1, 0, 0, 0],
        ("narrow", 0): [1, 1, 1, 0],
        ("narrow", 1): [1, 1, 0, 0],
    }
    for key, given in rights.items():
        finish(places[key], given)
    found = collect_results(ablation, tmp_path / "out")
    arms = {arm.name: arm for arm in found.arms}
    score = arms["narrow"].spreads["exact_match"]
    assert (score.value, score.low, score.high, score.n) == (0.625, 0.5, 0.75, 2)
    assert arms["plain"].spreads["exact_match"].value == 0.375
    assert arms["plain"].spreads["penalty_reduction"].value == pytest.approx(0.25)
    assert arms["plain"].spreads["epochs"].value == 2.0
    assert "exact_match_latents_shuffled" not in arms["plain"].spreads
    assert arms["plain"].comparison is None
    comparison = arms["narrow"].comparison
    assert comparison.over_seeds["exact_match"].value == pytest.approx(0.25)
    assert comparison.over_seeds["exact_match"].n == 2
    assert comparison.over_images.value == pytest.approx(0.25)
    assert found.notes == []
    assert outcome_of(places["narrow", 0]) == "finished: exact match 75.0 %, 2 epochs, 90 s"


def test_only_seeds_that_both_arms_finished_are_compared(plan, tmp_path):
    ablation, places = plan
    finish(places["plain", 0], [1, 0])
    finish(places["narrow", 1], [1, 1])
    places["plain", 1].write_ending(Ending(1, "the disk is full"))
    found = collect_results(ablation, tmp_path / "out")
    assert [run.state for run in found.runs] == ["finished", "waiting", "failed", "finished"]
    assert [run.message for run in found.runs] == ["", "", "the disk is full", ""]
    assert all(arm.comparison is None for arm in found.arms)
    assert outcome_of(places["plain", 1]) == "failed: the disk is full"
    finish(places["narrow", 0], [1, 1])
    (_, arm) = collect_results(ablation, tmp_path / "out").arms
    assert arm.comparison.over_seeds["exact_match"].value == pytest.approx(0.5)
    assert arm.comparison.over_seeds["exact_match"].n == 1
    assert arm.spreads["exact_match"].n == 2


def test_runs_on_other_rows_or_tables_are_remarked_on_and_not_paired(plan, tmp_path):
    ablation, places = plan
    finish(places["plain", 0], [1, 0])
    finish(places["narrow", 0], [1, 1], rows=7, data="another")
    found = collect_results(ablation, tmp_path / "out")
    assert found.arms[1].comparison.over_images is None
    assert found.notes == [
        "Not all runs were trained on the same table.",
        "narrow: validated on other rows than the default, so nothing is paired by image.",
    ]


def test_without_a_kl_there_is_no_share_of_it_that_is_free(plan, tmp_path):
    ablation, places = plan
    finish(places["plain", 0], [1, 0], kl_raw=None)
    spreads = collect_results(ablation, tmp_path / "out").arms[0].spreads
    assert spreads.keys().isdisjoint({"kl_raw", "penalty_reduction"})


@pytest.mark.parametrize("content", ["", "[]", '{"metrics": {}}'])
def test_scores_that_cannot_be_read_say_what_to_remove(plan, tmp_path, content):
    ablation, places = plan
    place = places["plain", 0]
    finish(place, [1, 0])
    (place.evaluation / "evaluation.json").write_text(content)
    with pytest.raises(CheckpointError, match=f"Remove .*{place.key} and its {place.key}.json"):
        collect_results(ablation, tmp_path / "out")
