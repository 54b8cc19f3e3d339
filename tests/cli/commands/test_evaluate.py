import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.small_runs import (
    handles_signals,
    questions,
    read_csv,
    records_of,
    start_cli,
    wait_until,
    write_images,
    write_rows,
)


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, for evaluations are written into it."""
    return Path(shutil.copytree(finished.run, tmp_path / "run"))


@pytest.fixture
def own(tmp_path):
    table = write_rows(tmp_path / "own.csv", questions(6))
    return ["--data", table, "--images", write_images(tmp_path / "images", 6)]


def scores_of(done):
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_json_is_one_object_with_the_numbers_of_the_log(cli, run):
    found = scores_of(cli("evaluate", run / "last", "--json"))
    logged = records_of(run)[-1]["val"]
    assert found["schema"] == 1 and found["questions"] == logged["rows"]
    assert found["metrics"]["exact_match"]["value"] == logged["exact_match"]
    assert set(found["metrics"]["exact_match"]) == {"value", "low", "high", "n"}
    for name in ("answer_loss", "total_loss", "rate", "information_bound", "active_units"):
        assert found["losses"][name] == logged[name]
    assert "vqa_official" not in found["metrics"]


def test_formulas_are_escaped_where_that_is_asked_and_what_was_dropped_is_told(
    cli, run, tmp_path, own
):
    rows = [("0.png", "=1+1", "-2"), ("1.png", "wh\u200bat?", "yes")]
    asked = ["--data", write_rows(tmp_path / "f.csv", rows), *own[2:]]
    for options, question, reference in (
        (["--escape-formulas"], "'=1+1", "'-2"),
        ([], "=1+1", "-2"),
    ):
        done = cli("evaluate", run, *asked, *options)
        assert done.code == 0, done.err
        assert "warning: " in done.err and "1 cell" in done.err
        first, second = read_csv(run / "evaluations" / "f" / "predictions.csv")
        assert (first["question"], first["reference"]) == (question, reference)
        assert (second["question"], second["image"]) == ("what?", "1.png")


def test_a_run_means_its_best_checkpoint(cli, run):
    best = (run / "best").read_text().strip()
    assert scores_of(cli("evaluate", run, "--json"))["checkpoint"] == best
    assert scores_of(cli("evaluate", run / "best", "--json"))["checkpoint"] == best
    found = scores_of(cli("evaluate", run / "checkpoints" / best, "--json"))
    assert found["checkpoint"] == best


def test_the_screen_shows_scores_priors_and_types(cli, run):
    done = cli("evaluate", run)
    assert done.code == 0
    for told in ("32 questions on 4 images", "exact match", "95 % interval", "without images"):
        assert told in done.out
    assert "shape" in done.out and "count" in done.out
    assert f"written to {run / 'evaluations' / 'validation'}" in done.out
    predictions = read_csv(run / "evaluations" / "validation" / "predictions.csv")
    assert len(predictions) == 32
    assert set(predictions[0]) >= {"image", "question", "answer", "reference", "confidence"}


def test_a_table_of_ones_own_goes_to_its_own_folder(cli, run, own):
    found = scores_of(cli("evaluate", run, *own, "--json"))
    assert (found["questions"], found["images"], found["types"]) == (24, 6, {})
    assert (run / "evaluations" / "own" / "evaluation.json").exists()


def test_names_are_shown_as_they_stand_whatever_brackets_they_hold(cli, run, own, tmp_path):
    rows = [(f"{place}", "what?", "yes", "[/red] [bold]x") for place in range(2)]
    table = write_rows(tmp_path / "[b] t.csv", rows, "image,question,answer,type")
    done = cli("evaluate", run, "--data", table, *own[2:])
    assert done.code == 0, done.err
    assert "[/red] [bold]x" in done.out
    assert f"written to {run / 'evaluations' / '[b] t'}\n" in done.out


def test_what_was_found_of_the_latent_outlives_a_plain_evaluation(cli, run, own):
    use = scores_of(cli("evaluate", run, *own, "--latent-use", "--json"))["latent_use"]
    assert use is not None
    cli("evaluate", run, *own)
    folder = run / "evaluations" / "own"
    assert json.loads((folder / "evaluation.json").read_text())["latent_use"] == use
    assert (folder / "attention.npz").exists()
    # another number of questions: it no longer belongs to what stands beside it
    write_rows(Path(own[1]), questions(5))
    cli("evaluate", run, *own)
    assert json.loads((folder / "evaluation.json").read_text())["latent_use"] is None
    assert not (folder / "attention.npz").exists()
    assert not (folder / "attention.png").exists()


def test_another_checkpoint_than_the_best_has_results_of_its_own(cli, run, own):
    best = (run / "best").read_text().strip()
    (other,) = (path.name for path in (run / "checkpoints").iterdir() if path.name != best)
    cli("evaluate", run, *own)
    cli("evaluate", run / "checkpoints" / other, *own)
    for name, checkpoint in (("own", best), (f"own@{other}", other)):
        found = json.loads((run / "evaluations" / name / "evaluation.json").read_text())
        assert found["checkpoint"] == checkpoint


def test_one_image_tells_of_no_spread_and_of_no_exchange(cli, run, own, tmp_path):
    table = write_rows(tmp_path / "one.csv", [("0", "what?", "yes"), ("0", "why?", "no")])
    done = cli("evaluate", run, "--data", table, *own[2:], "--latent-use")
    assert done.code == 0, done.err
    assert "latent use is not examined: the table asks about one image" in done.err
    assert "one image" in done.out and "The latent" not in done.out
    found = scores_of(cli("evaluate", run, "--data", table, *own[2:], "--json"))
    assert found["metrics"]["exact_match"]["low"] is None
    assert found["latent_use"] is None


def test_answers_that_are_all_the_same_leave_nothing_to_learn(cli, run, own, tmp_path):
    table = write_rows(tmp_path / "same.csv", [(f"{n}", "what?", "yes") for n in range(4)])
    done = cli("evaluate", run, "--data", table, *own[2:], "--latent-use")
    assert "nothing to learn: all answers are the same" in done.out


@pytest.mark.parametrize("content", ["[1]", '{"a": ', '{"a": "b"}', None])
def test_damaged_training_answers_are_told(cli, run, own, content):
    path = run / "answers.json"
    path.unlink() if content is None else path.write_text(content)
    done = cli("evaluate", run, *own)
    assert done.code == 0
    assert "answers.json is missing or damaged" in done.err


def test_a_run_folder_may_be_called_best(cli, run, own):
    done = cli("evaluate", run.rename(run.parent / "best"), *own)
    assert (done.code, "missing" in done.err) == (0, False), done.err


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_run_that_does_not_say_which_is_best_is_told_of(cli, run, own, content):
    (run / "best").unlink() if content is None else (run / "best").write_bytes(content)
    done = cli("evaluate", run, *own)
    assert done.code == 0, done.err
    assert "best: missing or damaged; using" in " ".join(done.err.split())


def test_columns_of_other_names_are_mapped(cli, run, own, tmp_path):
    write_rows(tmp_path / "own.csv", [("0", "what?", "yes", "odd")], "img_id,q,reply,kind")
    columns = ["image=img_id", "question=q", "answer=reply", "type=kind"]
    options = [part for text in columns for part in ("--column", text)]
    found = scores_of(cli("evaluate", run, *own, *options, "--json"))
    assert list(found["types"]) == ["odd"]
    done = cli("evaluate", run, *own)
    assert done.code == 1 and 'image = "img_id"' in done.err


def test_several_references_bring_the_official_accuracy(cli, run, own, tmp_path):
    cell = '"[""two"", ""two"", ""2"", ""three""]"'
    write_rows(tmp_path / "own.csv", [("0.png", "how many?", cell)], "image,question,answers")
    found = scores_of(cli("evaluate", run, *own, "--json"))
    assert found["metrics"]["vqa_official"]["n"] == 1


def test_samples_are_drawn_when_asked(cli, run):
    one, other = (scores_of(cli("evaluate", run, "--samples", count, "--json")) for count in (0, 3))
    assert one["losses"]["answer_loss"] == other["losses"]["answer_loss"]
    assert cli("evaluate", run, "--samples", -1).code == 2


def test_a_copied_checkpoint_needs_no_run(cli, run, own, tmp_path):
    name = (run / "last").read_text().strip()
    alone = shutil.copytree(run / "checkpoints" / name, tmp_path / "alone")
    assert scores_of(cli("evaluate", alone, *own, "--json"))["questions"] == 24
    done = cli("evaluate", alone)
    assert done.code == 1 and "no table is named there; give --data and --images" in done.err


def test_bad_images_are_refused_and_skipped_on_request(cli, run, own, tmp_path):
    (tmp_path / "images" / "1.png").write_bytes(b"junk")
    done = cli("evaluate", run, *own)
    assert done.code == 1
    assert "own.csv: 1 of 6 images cannot be used" in done.err and "row 6 and 3 more" in done.err
    assert "--skip-bad-images" in done.err
    done = cli("evaluate", run, *own, "--skip-bad-images", "--json")
    assert scores_of(done)["questions"] == 20
    assert "skipped 1 bad image with 4 questions" in done.err


def test_a_run_that_skipped_bad_images_is_evaluated_without_them(cli, run):
    config = run / "config.toml"
    config.write_text(config.read_text().replace('on_bad_image = "error"', 'on_bad_image = "skip"'))
    held_out = next(
        line.split(",")[0]
        for line in (run / "split.csv").read_text().splitlines()
        if line.endswith(",val")
    )
    (run / "data" / "images" / held_out).write_bytes(b"junk")
    done = cli("evaluate", run, "--json")
    assert scores_of(done)["questions"] == 24
    assert "skipped 1 bad image" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["{none}"], 1, "no run folder with checkpoints here"),
        (["{run}", "--data", "{none}.csv"], 1, "no such table"),
        (["{run}", "--data", "{run}"], 1, "is a folder, not a file"),
        (["{run}", "--images", "{run}"], 1, "no such file"),
        (["{run}", "--column", "image=x"], 2, "name it with --data"),
        (["{run}", "--data", "{own}", "--column", "image"], 2, "write it as image=img_id"),
        (["{run}", "--data", "{own}", "--column", "image=x"], 1, "no column 'x'"),
        (["{run}", "--data", "{own}", "--column", "imag=x"], 2, "imag is not a column"),
        (["{run}", "--data", "{own}", "--images", "{none}"], 1, "no such images folder"),
        (["{run}", "--device", "frog"], 2, "cannot be used here"),
        (["{run}", "--device", "cuda:99"], 2, "cannot be used here"),
        (["{run}", "--batch-size", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_faults_are_told_with_their_exit_code(cli, finished, tmp_path, arguments, code, told):
    table = write_rows(tmp_path / "own.csv", questions(1))
    known = {"run": finished.run, "none": tmp_path / "none", "own": table}
    done = cli("evaluate", *(text.format(**known) for text in arguments))
    assert (done.code, done.out) == (code, "")
    assert told in done.err


def test_a_file_in_the_place_of_the_evaluations_is_told(cli, run):
    (run / "evaluations").touch()
    done = cli("evaluate", run)
    assert done.code == 0 and "exact match" in done.out
    assert "the result is not saved: Not a directory" in done.err


def test_a_damaged_checkpoint_is_passed_over_with_a_warning(cli, run):
    last = (run / "last").read_text().strip()
    path = run / "checkpoints" / last / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    done = cli("evaluate", run / "last", "--json")
    assert scores_of(done)["checkpoint"] != last
    assert f"warning: {path} is damaged" in done.err


@pytest.mark.heavy
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_evaluation_writes_nothing(run, number, code):
    process = start_cli("evaluate", run, "--samples", "100000")
    # the process handles signals itself once it has read the table's images
    wait_until(lambda: handles_signals(process.pid), process)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (code, ""), err
    assert "Traceback" not in err
    assert not (run / "evaluations").exists()
