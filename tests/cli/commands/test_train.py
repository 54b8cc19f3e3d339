import json
import os
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import latentvqa
from latentvqa.cli import app
from latentvqa.engine.training.start import train
from latentvqa.history import read_history
from tests.small_runs import (
    BRIEF,
    ROOT,
    TINY,
    Interrupter,
    assert_same_run,
    held_elsewhere,
    interrupted,
    questions,
    records_of,
    set_options,
    small_config,
    small_overrides,
    start_cli,
    write_images,
    write_rows,
)


def config_file(folder, name="mine.toml"):
    path = folder / name
    path.write_text(
        '[data]\nscenes = "easy"\nscene_images = 20\nscene_questions = 8\n'
        '[vision]\nname = "test_resnet"\nimage_size = 48\nstride = 8\n'
        "[fusion]\nwidth = 32\n[latent]\ndims = 16\n[loader]\nbatch_size = 64\n"
        '[stages]\nwarmup = 1\nfull = 1\n[run]\nthreads = 1\nprecision = "fp32"\n'
    )
    return path


def test_training_ends_with_a_whole_run_folder(cli, here):
    done = cli("train", "--config", config_file(here))
    assert done.code == 0
    run = here / "runs" / "mine"
    names = {entry.name for entry in run.iterdir()}
    assert names == {
        "answers.json",
        "best",
        "blind.json",
        "blind.safetensors",
        "checkpoints",
        "checkpoints.json",
        "config.toml",
        "curves.png",
        "data",
        "evaluations",
        "last",
        "metrics.jsonl",
        "report.html",
        "split.csv",
        "sums.json",
    }
    assert "run folder: runs/mine" in done.err
    assert done.err.count("epoch ") >= 2 and "epoch 1/1  full" in done.err
    assert "exact match" in done.out and "without images" in done.out
    assert "report: runs/mine/report.html" in done.out
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Findings over the epochs" in page and "validation questions right" in page
    assert page.count('href="data:image/png;base64') == 12
    assert cli("report", run).err == ""
    assert (run / "report.html").read_text(encoding="utf-8") == page
    scores = json.loads((run / "evaluations" / "validation" / "evaluation.json").read_text())
    best = read_history(run).records[-1].best_epoch
    assert scores["metrics"]["exact_match"]["value"] == records_of(run)[best]["val"]["exact_match"]


@pytest.mark.heavy
def test_the_next_run_of_the_same_name_gets_a_number(cli, here):
    path = config_file(here)
    (here / "runs" / "mine").mkdir(parents=True)
    assert cli("train", "--config", path).code == 0
    assert (here / "runs" / "mine-2" / "last").exists()


def test_without_arguments_the_quickstart_is_trained(cli, here):
    # data.* of the preset is kept: nothing here names a table
    options = [text for text in small_overrides(*BRIEF) if not text.startswith("data.scenes")]
    done = cli("train", *(part for text in options for part in ("--set", text)))
    assert done.code == 0
    assert (here / "runs" / "quickstart" / "data" / "questions.csv").exists()
    assert "making 20 easy scenes" in done.err and "runs/quickstart/data" in done.err


def test_a_dry_run_prints_the_plan_and_writes_nothing(cli, here):
    done = cli("train", *TINY, "--dry-run")
    assert done.code == 0
    for told in (
        "parameters",
        "peak rate",
        "decoder",
        "backbone frozen     never",
        "KL weight           3 effective after warm-up",
        "free_bits           0.1 nats per latent token",
        "per nat of rate",
        "5 per epoch x 2 epochs = 10",
        "estimated duration",
    ):
        assert told in done.out
    assert list(here.iterdir()) == []


def test_a_dry_run_checks_the_data(cli, here):
    table = write_rows(here / "t.csv", [("0.png", "q", " ")])
    images = write_images(here / "images", 1)
    done = cli(
        "train", "--dry-run", "--set", f"data.train={table}", "--set", f"data.images={images}"
    )
    assert done.code == 1
    assert f"{table}: " in done.err and "row 2, column 'answer'" in done.err


@pytest.mark.heavy
def test_a_run_can_be_resumed_and_extended(cli, here, finished):
    with interrupted():
        train(small_config(), here / "run", Interrupter("epoch 1", 2))
    done = cli("train", "--resume", here / "run")
    assert done.code == 0
    assert_same_run(here / "run", finished.run)
    done = cli("train", "--resume", here / "run", "--set", "stages.full=3")
    assert done.code == 0
    assert len(records_of(here / "run")) == 5


def test_advice_is_shown_and_applied_only_when_asked_for(cli, here):
    crushed = (
        "stages.warmup=4",
        "stages.full=0",
        "kl.warmup_epochs=0",
        "kl.factor=100.0",
        "kl.free_bits=0.0",
        "kl_health.early_epoch=1",
        "kl_health.early_start=1",
    )
    shown = cli("train", "--advise", "--out", "shown", *set_options(*crushed))
    assert "  advice: kl.factor: 100 -> 0.064 (IN002 collapse)" in shown.err.splitlines()
    assert "auto-tune" not in shown.err
    tuned = cli("train", "--auto-tune", "--out", "tuned", *set_options(*crushed))
    told = "auto-tune after epoch 1: kl.factor: 100 -> 0.064 (IN002)"
    assert told in tuned.err.splitlines()
    weights = [record["effective_kl_weight"] for record in records_of(here / "tuned")]
    assert weights == pytest.approx([1500.0, 1500.0, 0.96, 0.96])


def test_faults_of_the_options_exit_2(cli, here, finished):
    run = finished.run
    for options, told in (
        (["--preset", "quickstrat"], "Did you mean quickstart?"),
        (["--config", "none.toml"], "none.toml: no such file"),
        (["--set", "kl.free_bit=0.1"], "kl.free_bit is unknown; did you mean free_bits?"),
        (["--set", "free_bits"], "write it as section.key=value"),
        (["--set", "latent.token_dropout=1.5"], "latent.token_dropout = 1.5: input should be less"),
        (["--set", "teacher.scorer=nothing:here"], "no scorer could be made"),
        (["--set", "teacher.scorer=os:getcwd"], "which is no scorer"),
        (["--set", "run.device=cuda:77"], 'Use "auto" or "cpu"'),
        (["--set", "run.device=frog"], 'run.device = "frog" cannot be used here'),
        (["--resume", run, "--config", "x.toml"], "--resume continues with the run's own"),
        (["--resume", run, "--dry-run"], "drop --resume"),
        (["--resume", run, "--set", "kl.factor=1"], "kl.factor: 0.2 -> 1.0"),
        (["--overwrite"], "name that folder"),
    ):
        done = cli("train", *options)
        assert done.code == 2, options
        assert told in done.err
    assert not list(here.glob("runs/*"))


SCORER = """
from pathlib import Path
Path({mark!r}).touch()
def make():
    return lambda candidate, references: float(candidate in references)
"""


def test_code_that_a_run_names_is_imported_only_where_the_option_names_it_too(
    cli, here, monkeypatch
):
    mark, name = here / "imported", "teacher.scorer=scorer_of_somebody:make"
    (here / "code").mkdir()
    (here / "code" / "scorer_of_somebody.py").write_text(SCORER.format(mark=str(mark)))
    monkeypatch.syspath_prepend(here / "code")

    def imported(*arguments):
        mark.unlink(missing_ok=True)
        sys.modules.pop("scorer_of_somebody", None)
        return cli("train", *arguments), mark.exists()

    done, is_imported = imported(*TINY, "--set", name, "--out", "run")
    assert (done.code, is_imported) == (0, True)
    for options in ([], ["--set", "run.threads=1"]):
        done, is_imported = imported("--resume", "run", *options)
        assert (done.code, is_imported) == (2, False)
        assert f"if you trust it, add --set {name}" in done.err
    done, is_imported = imported("--resume", "run", "--set", name)
    assert (done.code, is_imported) == (0, True)


def test_all_faults_of_a_config_are_told_at_once(cli, here):
    path = here / "c.toml"
    path.write_text("[kl]\nfreebits = 1\n[fusion]\nwidth = 7\n[nonsense]\na = 1\n")
    done = cli("train", "--config", path, "--set", "loader.batch_size=0")
    assert done.code == 2
    assert "5 faults" in done.err and done.err.count(str(path)) == 3
    assert "--set: loader.batch_size = 0" in done.err and "data.train is missing" in done.err


def test_a_folder_that_cannot_be_used_exits_1(cli, here):
    (here / "full").mkdir()
    (here / "full" / "note").touch()
    for options, told in (
        (["--out", "full"], "the folder is not empty"),
        (["--out", "full", "--overwrite"], "nothing in it was touched"),
        (["--out", "full/note"], "is a file"),
        (["--out", "full/note/below"], "cannot be made"),
        (["--out", "x" * 300], "File name too long"),
        (["--resume", "full"], "no config.toml in it"),
        (["--resume", "none"], "no config.toml in it"),
    ):
        done = (
            cli("train", *TINY, *options) if "--resume" not in options else cli("train", *options)
        )
        assert done.code == 1, options
        assert told in done.err
    assert [entry.name for entry in here.iterdir()] == ["full"]


def files_below(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_earlier_run_gives_way_only_to_one_that_begins_and_foreign_files_never(
    cli, here, finished
):
    shutil.copytree(finished.run, here / "run")
    (here / "run" / "thesis.txt").write_text("mine")
    before = files_below(here)
    for options in (
        [],
        ["--overwrite", "--set", "kl.factr=1"],
        ["--overwrite", "--set", "vision.name=no_such_model"],
        ["--overwrite", "--set", "data.train=none.csv", "--set", "data.images=none"],
    ):
        assert cli("train", *TINY, "--out", "run", *options).code in (1, 2)
        assert files_below(here) == before
    done = cli("train", *TINY, "--out", "run", "--overwrite")
    assert done.code == 0, done.err
    assert "kept in run, for no run made them: thesis.txt" in done.err
    assert (here / "run" / "thesis.txt").read_text() == "mine"
    assert len(records_of(here / "run")) == 2
    assert not (here / "run" / "data").exists() and (here / "run" / "data-2").is_dir()
    assert cli("evaluate", "run").code == 0


def test_a_run_below_the_checkpoints_of_another_is_trained_and_found(cli, here, finished):
    shutil.copytree(finished.run, here / "run")
    done = cli("train", *TINY, "--out", "run/checkpoints/0009-x")
    assert done.code == 0, done.err
    assert (here / "run" / "checkpoints" / "0009-x" / "report.html").is_file()


def test_a_folder_in_use_is_refused_and_its_user_named(cli, here, finished):
    run = shutil.copytree(finished.run, here / "run")
    (here / "new").mkdir()
    with held_elsewhere(run) as holder, held_elsewhere(here / "new") as other:
        before = files_below(run)
        for process, command in (
            (holder, ("train", "--resume", "run")),
            (holder, ("train", *TINY, "--out", "run", "--overwrite")),
            (holder, ("train", *TINY, "--out", "run")),
            (holder, ("evaluate", "run/last")),
            (other, ("train", *TINY, "--out", "new")),
        ):
            done = cli(*command)
            assert done.code == 1
            assert f"is in use by process {process.pid} on " in done.err
        assert files_below(run) == before


@pytest.mark.heavy
def test_jobs_that_start_at_once_train_a_run_each(here):
    jobs = [start_cli("train", "--config", config_file(here), cwd=here) for _ in range(6)]
    told = [job.communicate()[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 6, told
    names = sorted(path.name for path in (here / "runs").iterdir())
    assert names == ["mine", *(f"mine-{number}" for number in range(2, 7))]
    assert [len(records_of(here / "runs" / name)) for name in names] == [2] * 6


_NEVER_LOADED = """
import os, signal, sys
from latentvqa.__main__ import run

class Stopper:
    def find_spec(self, name, *_):
        if name == "torch":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Stopper())
run()
"""


def test_a_stop_while_the_program_is_loaded_leaves_no_run_folder(here):
    done = subprocess.run(
        [sys.executable, "-c", _NEVER_LOADED, "train", *TINY],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (143, "")
    assert list(here.iterdir()) == []


def test_a_failed_start_leaves_no_run_folder(cli, here):
    table = write_rows(here / "t.csv", questions(2))
    done = cli("train", "--set", f"data.train={table}", "--set", "data.images=none")
    assert done.code == 1 and "no such images folder" in done.err
    assert not list(here.glob("runs/*"))


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ((), questions(6)),
        ((), [(image, question, "yes") for image, question, _ in questions(6)]),
        ((), [(image, "word " * 500, answer) for image, _, answer in questions(6)]),
        ((), [(image, question, "word " * 30) for image, question, _ in questions(6)]),
        ((), [(image, "¿qué? 日本語", "𠀋 é") for image, _, _ in questions(6)]),
        pytest.param(("latent.tokens=1",), questions(6), marks=pytest.mark.heavy),
        (("latent.tokens=1", "latent.dims=1"), questions(6)),
        pytest.param(("loader.batch_size=100000",), questions(6), marks=pytest.mark.heavy),
        (("loader.batch_size=1", "loader.evaluation_batch_size=1"), questions(2)),
        pytest.param(("text.tokenizer=bpe",), questions(6), marks=pytest.mark.heavy),
        pytest.param(
            ("latent.temperature=0", "latent.validation_temperature=0"),
            questions(6),
            marks=pytest.mark.heavy,
        ),
    ],
    ids=[
        "plain",
        "one answer",
        "long questions",
        "long answers",
        "unicode",
        "K=1",
        "K=Z=1",
        "one batch",
        "batches of one",
        "bpe",
        "no noise",
    ],
)
def test_strange_tables_and_sizes_are_trained_on(cli, here, changes, rows):
    table = write_rows(here / "ü t.csv", rows)
    images = write_images(here / "bilder ü", 6)
    own = small_overrides("stages.warmup=1", "stages.full=1", *changes)
    own = [text for text in own if not text.startswith("data.")]
    own += [f"data.train={table}", f"data.images={images}"]
    done = cli("train", *(part for text in own for part in ("--set", text)), "--out", "run é")
    assert done.code == 0, done.err
    assert len(records_of(here / "run é")) == 2


@pytest.mark.parametrize("rows", [1, 4])
def test_one_image_needs_a_validation_table(cli, here, rows):
    images = write_images(here / "images", 2)
    table = write_rows(here / "t.csv", questions(1)[:rows])
    val = write_rows(here / "v.csv", [("1.png", "never asked?", "never answered")])
    own = small_overrides("stages.warmup=1", "stages.full=1")
    own = [text for text in own if not text.startswith("data.")]
    own += [f"data.train={table}", f"data.images={images}"]
    options = [part for text in own for part in ("--set", text)]
    done = cli("train", *options, "--out", "run")
    assert done.code == 1
    assert "one image cannot be split" in done.err and "give data.val" in done.err
    done = cli("train", *options, "--set", f"data.val={val}", "--out", "run")
    assert done.code == 0, done.err


def test_the_version_is_that_of_the_package():
    process = start_cli("--version")
    out, err = process.communicate()
    assert (process.returncode, out.strip(), err) == (0, latentvqa.__version__, "")


def test_a_missing_or_misspelt_command_exits_2():
    runner = CliRunner()
    assert runner.invoke(app, []).exit_code == 2
    result = runner.invoke(app, ["trian"])
    assert result.exit_code == 2 and "Did you mean 'train'?" in result.output
