"""``latentvqa ablate``: what it refuses, and real runs of seconds through the real command."""

import csv
import json
import os
import signal
import subprocess

import pytest

from latentvqa.config import config_to_toml, load_plan, plan_names
from latentvqa.engine.ablation.runs import places_of, runnable
from latentvqa.engine.runtime.file_lock import held_lock
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import train
from latentvqa.history import read_history
from tests.small_runs import (
    BRIEF,
    assert_same_run,
    processes_of,
    read_csv,
    small_config,
    start_cli,
    wait_until,
)

HEAD = 'description = "Another factor"\ndefault = "as it is"\n'
ARMS = '[arms]\n"as it is" = {}\nfactor = { "kl.factor" = 0.1 }\n'
FAILS = '"no such model" = { "vision.name" = "nope" }\n'
LONG = ("stages.full=40", "early_stopping.patience=100")


def write_plan(folder, *changes, name="plan", seeds="[0]", arms=ARMS, head=HEAD):
    """A plan of small runs."""
    write_small(folder / "small.toml", *changes)
    path = folder / f"{name}.toml"
    path.write_text(f'{head}seeds = {seeds}\nconfig = "small.toml"\n{arms}', encoding="utf-8")
    return path


def write_small(path, *changes):
    path.write_text(config_to_toml(small_config(*BRIEF, *changes)), encoding="utf-8")
    return path


def places(plan, out):
    return places_of(load_plan(str(plan)), out)


def ablated(*arguments, cwd):
    process = start_cli("ablate", *arguments, cwd=cwd)
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in out + err
    return process.returncode, out, err


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Two arms with two seeds, run once; nobody may change it."""
    folder = tmp_path_factory.mktemp("done")
    plan = write_plan(folder, seeds="[0, 1]")
    code, out, err = ablated(plan, "--out", folder / "out", cwd=folder)
    assert code == 0, err
    return folder, plan, out, err


# What is refused, and what is told without training.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a plan (baseline-stage, early-stopping, free-bits, kl-factor, vision-freeze"),
        (["free-bits", "--controls"], "free-bits and --controls exclude each other"),
        (["free-bits", "--list", "--collect"], "--list, --collect and --index exclude each other"),
        (["free-bits", "--list", "--index", "0"], "exclude each other"),
        (["free-bits", "--index", "9"], "--index 9: the runs are numbered 0 to 8"),
        (["free-bits", "--seeds", "1", "--index", "3"], "numbered 0 to 2"),
        (["free-bit"], "free-bit: no such plan. Did you mean free-bits?"),
        (["free-bits", "--set", "kl.facto=1"], "--set: kl.facto is unknown; did you mean factor?"),
        (["--controls", "--preset", "quick"], "--preset quick: no such preset."),
    ],
)
def test_a_wrong_command_line_is_told_and_leaves_nothing(cli, here, arguments, words):
    answer = cli("ablate", *arguments)
    assert answer.code == 2
    assert words in answer.err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("only", ["--list", "--collect", "--json"])
def test_a_file_in_the_place_of_the_folder_is_told_and_stays(cli, here, only):
    (here / "mine").write_text("kept")
    answer = cli("ablate", "free-bits", "--out", "mine", only)
    assert (answer.code, answer.err) == (1, "error: --out mine: is a file. Name a folder.\n")
    assert (here / "mine").read_text() == "kept"


def test_the_help_names_the_shipped_plans(cli):
    words = " ".join(cli("ablate", "--help").out.replace("│", " ").split())
    assert all(name in words for name in plan_names())


def test_the_list_shows_numbered_runs_and_makes_nothing(cli, here):
    answer = cli("ablate", "free-bits", "--list")
    assert answer.code == 0
    rows = [line.split() for line in answer.out.splitlines() if "runs/" in line]
    assert [row[0] for row in rows] == list("012345678")
    assert {row[3] for row in rows} == {"waiting"}
    assert [row[1] for row in rows[:3]] == ["0.05", "0.1", "0.2"]
    assert list(here.iterdir()) == []


def test_collecting_nothing_says_so(cli, here):
    answer = cli("ablate", "free-bits", "--collect")
    assert answer.code == 0
    assert "9 waiting of 9 runs: not in the tables" in answer.out
    assert (here / "ablations" / "free-bits.json").is_file()


# Real runs.


@pytest.mark.heavy
def test_every_run_is_a_run_folder_and_they_share_their_scenes(done):
    folder, plan, _, _ = done
    tables = set()
    for place in places(plan, folder / "out"):
        assert place.state() == "finished"
        history = read_history(place.folder)
        assert history.header.seed == place.seed
        assert len(history.records) == 2
        tables.add(history.header.data["train"]["sha256"])
        assert (place.folder / "report.html").is_file()
        assert not (place.folder / "data").exists()
    assert len(tables) == 1
    assert len(list((folder / "out" / "data").glob("*/questions.csv"))) == 1


@pytest.mark.heavy
def test_the_result_is_what_the_runs_evaluations_say(done):
    folder, plan, out, _ = done
    found = json.loads((folder / "out" / "plan.json").read_text())
    by_seed = {}
    for place, run in zip(places(plan, folder / "out"), found["runs"], strict=True):
        written = json.loads((place.evaluation / "evaluation.json").read_text())
        rows = read_csv(place.evaluation / "predictions.csv")
        share = sum(row["correct"] == "1" for row in rows) / len(rows)
        assert run["metrics"]["exact_match"] == pytest.approx(share)
        assert run["metrics"]["rate"] == written["losses"]["rate"]
        assert run["metrics"]["epochs"] == 2
        by_seed[place.arm, place.seed] = share
    arm = found["arms"]["factor"]
    scores = [by_seed["factor", seed] for seed in (0, 1)]
    assert arm["metrics"]["exact_match"] == {
        "value": pytest.approx(sum(scores) / 2),
        "low": min(scores),
        "high": max(scores),
        "n": 2,
    }
    expected = sum(by_seed["factor", seed] - by_seed["as it is", seed] for seed in (0, 1)) / 2
    assert arm["against_default"]["over_seeds"]["exact_match"]["value"] == pytest.approx(expected)
    assert arm["against_default"]["over_images"]["value"] == pytest.approx(expected)
    assert arm["against_default"]["word"] in out
    assert (folder / "out" / "plan.png").stat().st_size > 5000
    with (folder / "out" / "plan-runs.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4


@pytest.mark.heavy
def test_a_run_in_its_own_process_is_the_run_that_train_makes(done, cli):
    folder, plan, _, _ = done
    place = places(plan, folder / "out")[1]
    assert cli("train", "--config", place.config_file, "--out", folder / "alone").code == 0
    assert_same_run(folder / "alone", place.folder)


@pytest.mark.heavy
def test_a_later_call_trains_nothing_and_prints_the_same(done, cli, monkeypatch):
    folder, plan, out, _ = done
    monkeypatch.chdir(folder)
    known = {path: path.stat().st_mtime_ns for path in (folder / "out" / "runs").rglob("*")}
    answer = cli("ablate", plan, "--out", "out")
    assert answer.code == 0
    assert "finished before: 4 of 4" in answer.err
    assert answer.out == out
    assert {p: p.stat().st_mtime_ns for p in (folder / "out" / "runs").rglob("*")} == known
    found = json.loads(cli("ablate", plan, "--out", "out", "--json").out)
    assert found == json.loads((folder / "out" / "plan.json").read_text())


@pytest.mark.heavy
def test_a_plan_in_the_same_folder_takes_over_equal_runs_and_a_failing_arm_stops_nobody(
    done, cli, tmp_path, monkeypatch
):
    folder, _, _, _ = done
    subprocess.run(["cp", "-r", str(folder / "out"), str(tmp_path / "out")], check=True)
    monkeypatch.chdir(tmp_path)
    arms = f'[arms]\n{FAILS}"left alone" = {{}}\nnarrow = {{ "latent.dims" = 8 }}\n'
    head = 'default = "left alone"\n'
    plan = write_plan(tmp_path, name="other", arms=arms, head=head)
    answer = cli("ablate", plan, "--out", "out")
    assert answer.code == 1
    assert "finished before: 1 of 3" in answer.err
    failed, shared, narrow = places(plan, tmp_path / "out")
    assert [place.state() for place in (failed, shared, narrow)] == [
        "failed",
        "finished",
        "finished",
    ]
    assert "failed: no such model, seed 0: vision.name = 'nope' is no timm model" in answer.out
    assert "narrow" in answer.out
    # told again without another try, until one is asked for
    again = cli("ablate", plan, "--out", "out")
    assert again.code == 1
    assert again.out == answer.out
    assert "begins" not in again.err and "--retry-failed tries it again" in again.err
    retried = cli("ablate", plan, "--out", "out", "--retry-failed", "--index", "0")
    assert retried.code == 1
    assert "[0] no such model, seed 0: begins" in retried.err


def stopped(plan, out, number):
    """Start a plan and stop it inside its first run; the exit code and that run."""
    place = places(plan, out)[0]
    process = start_cli("ablate", plan, "--out", out, cwd=plan.parent)
    wait_until((place.folder / "last").exists, process)
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert "interrupted; saved. The same command goes on where it stopped." in err
    assert "Traceback" not in err + place.output_file.read_text()
    assert place.state() == "interrupted"
    return process.returncode, place


@pytest.mark.heavy
def test_a_run_that_was_stopped_goes_on_and_ends_as_if_it_had_not_been(cli, tmp_path):
    plan = write_plan(tmp_path, "stages.full=3")
    code, place = stopped(plan, tmp_path / "out", signal.SIGINT)
    assert code == 130
    answer = cli("ablate", plan, "--out", tmp_path / "out", "--index", "0")
    assert answer.code == 0, answer.err
    assert "[0] as it is, seed 0: resumed" in answer.err
    assert [one.state() for one in places(plan, tmp_path / "out")] == ["finished", "waiting"]
    train(runnable(place), tmp_path / "alone", Observer())
    assert_same_run(place.folder, tmp_path / "alone")


@pytest.mark.heavy
def test_a_terminated_plan_exits_as_a_terminated_training_does(tmp_path):
    plan = write_plan(tmp_path, *LONG)
    assert stopped(plan, tmp_path / "out", signal.SIGTERM)[0] == 143


@pytest.mark.heavy
def test_two_array_jobs_that_want_the_same_run_train_it_once(tmp_path):
    plan = write_plan(tmp_path)
    jobs = [
        start_cli("ablate", plan, "--out", tmp_path / "out", "--index", "0", cwd=tmp_path)
        for _ in range(2)
    ]
    errors = [job.communicate(timeout=120)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], errors
    place, _ = places(plan, tmp_path / "out")
    assert place.state() == "finished"
    assert place.output_file.read_text().count("run folder: ") == 1
    assert sum("begins" in err for err in errors) == 1
    assert sum("waiting for its end" in err for err in errors) == 1
    assert all("[0] as it is, seed 0: finished: exact match" in err for err in errors)


@pytest.mark.heavy
def test_a_run_that_another_process_holds_is_left_to_the_end(tmp_path):
    plan = write_plan(tmp_path)
    first, second = places(plan, tmp_path / "out")
    first.folder.parent.mkdir(parents=True)
    with held_lock(first.lock_file, None, lambda: None):
        assert first.state() == "running"
        process = start_cli("ablate", plan, "--out", tmp_path / "out", cwd=tmp_path)
        told = []
        for line in process.stderr:
            told.append(line)
            if "waiting for its end" in line:
                break
        assert second.state() == "finished"
    err = "".join([*told, process.stderr.read()])
    assert process.wait(timeout=120) == 0, err
    process.stdout.close()
    process.stderr.close()
    assert first.state() == "finished"
    assert err.index("going on with the next") < err.index("[1] factor, seed 0: finished")
    assert f"process {os.getpid()} on" in err
    assert err.index("waiting for its end") < err.index("[0] as it is, seed 0: begins")


@pytest.mark.heavy
def test_a_process_that_outlives_its_killed_parent_keeps_its_run_to_itself(tmp_path):
    plan = write_plan(tmp_path, *LONG)
    place, _ = places(plan, tmp_path / "out")
    process = start_cli("ablate", plan, "--out", tmp_path / "out", "--index", "0", cwd=tmp_path)
    wait_until((place.folder / "last").exists, process)
    process.kill()
    process.communicate()
    assert place.state() == "running"  # the child trains on, and nobody else may
    (child,) = processes_of(place.folder)
    os.kill(child, signal.SIGTERM)
    while place.state() == "running":
        pass
    assert place.state() == "interrupted"


@pytest.mark.heavy
def test_a_run_killed_before_its_first_checkpoint_begins_anew(cli, tmp_path):
    plan = write_plan(tmp_path)
    place, _ = places(plan, tmp_path / "out")
    place.folder.mkdir(parents=True)
    (place.folder / "metrics.jsonl").write_text("torn")
    assert place.state() == "interrupted"
    answer = cli("ablate", plan, "--out", tmp_path / "out", "--index", "0")
    assert answer.code == 0, answer.err
    assert place.state() == "finished"


@pytest.mark.heavy
def test_a_backbone_is_trained_once_and_every_arm_starts_from_it(cli, here):
    arms = "".join(
        f'[arms."{name}".vision]\nfreeze_epochs = {epochs}\n'
        for name, epochs in (("as it is", 0), ("frozen", 2))
    )
    other = '[backbone.data]\nscene_seed = 9\nscene_families = ["shape", "left"]\n'
    plan = write_plan(here, arms=arms + other)
    answer = cli("ablate", plan, "--out", "out")
    assert answer.code == 0, answer.err
    (weights,) = (here / "out" / "backbones").glob("*.safetensors")
    (_features,) = (here / "out" / "features").glob("*.safetensors")
    assert answer.err.count("backbone: begins") == 1
    free, frozen = places(plan, here / "out")
    for place in (free, frozen):
        assert f'pretrained = "{weights}"' in (place.folder / "config.toml").read_text()
    flags = [record.trainable["vision"] for record in read_history(frozen.folder).records]
    assert flags == [False, False]
    assert [r.trainable["vision"] for r in read_history(free.folder).records] == [True, True]
    asked = [
        {row["type"] for row in read_csv(path)} for path in here.glob("out/data/*/questions.csv")
    ]
    assert sorted(asked, key=len) == [{"shape", "left"}, {"shape", "left", "top", "count"}]
    again = cli("ablate", plan, "--out", "out")
    assert "begins" not in again.err


@pytest.mark.heavy
def test_the_controls_of_a_configuration(cli, here):
    config = write_small(here / "small.toml")
    answer = cli("ablate", "--controls", "--config", config, "--seeds", "1", "--out", "out")
    assert answer.code == 0, answer.err
    found = json.loads((here / "out" / "controls-small.json").read_text())
    assert list(found["arms"]) == ["latent", "deterministic", "none", "question only"]
    rates = {name: arm["metrics"].get("rate") is not None for name, arm in found["arms"].items()}
    assert rates == {"latent": True, "deterministic": False, "none": False, "question only": True}
    shuffled = {
        name
        for name, arm in found["arms"].items()
        if "exact_match_latents_shuffled" in arm["metrics"]
    }
    assert shuffled == {"latent", "deterministic", "question only"}
    blind = next(run for run in found["runs"] if run["arm"] == "question only")
    rows = read_csv(here / "out" / blind["folder"] / "evaluations/validation/predictions.csv")
    answers = {}
    for row in rows:
        answers.setdefault(row["question"], set()).add((row["answer"], row["confidence"]))
    assert all(len(given) == 1 for given in answers.values())
