import itertools
import json
import shutil
import signal
from pathlib import Path

import pytest

from latentvqa.config import config_to_toml, load_config
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.folder import RunFolder, read_config
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runs.tables import validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume, train
from latentvqa.errors import CheckpointError, ConfigError, HistoryError
from latentvqa.history import LOG_NAME, SET_ASIDE_NAME, append_record, read_history
from latentvqa.sums import replace_summed
from tests.small_runs import (
    STEPS,
    Interrupter,
    Recorder,
    assert_same_run,
    interrupted,
    questions,
    records_of,
    small_config,
    small_overrides,
    train_small,
    write_images,
    write_rows,
)


def interrupt(run, observer, config=None):
    with interrupted() as caught:
        if config is None:
            resume(run, None, observer)
        else:
            train(config, run, observer)
    return caught.value.exit_code


def copy_of(finished, folder) -> Path:
    return Path(shutil.copytree(finished.run, folder / "run"))


def changed_by(run, *overrides):
    return load_config(run / "config.toml", overrides=list(overrides))


@pytest.mark.parametrize(
    ("phase", "report", "number", "code"),
    [
        ("epoch 0", 1, signal.SIGINT, 130),
        ("epoch 0", STEPS, signal.SIGINT, 130),
        ("validation", 1, signal.SIGTERM, 143),
        ("epoch 1", 4, signal.SIGTERM, 143),
        ("epoch 2", 3, signal.SIGINT, 130),
        ("validation", 4, signal.SIGINT, 130),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(finished, tmp_path, phase, report, number, code):
    assert interrupt(tmp_path, Interrupter(phase, report, number), small_config()) == code
    assert load_checkpoint(tmp_path / "last").notes == ()
    resume(tmp_path, None, Observer())
    assert_same_run(tmp_path, finished.run)


def test_a_run_may_be_interrupted_again_and_again(finished, tmp_path):
    interrupt(tmp_path, Interrupter("epoch 0", 2), small_config())
    interrupt(tmp_path, Interrupter("epoch 0", 1))
    interrupt(tmp_path, Interrupter("validation", 1))
    interrupt(tmp_path, Interrupter("validation", 1))
    interrupt(tmp_path, Interrupter("epoch 3", 3, signal.SIGTERM))
    resume(tmp_path, None, Observer())
    assert_same_run(tmp_path, finished.run)


@pytest.mark.heavy
def test_timed_checkpoints_inside_an_epoch_do_not_change_the_run(finished, tmp_path):
    train(small_config("run.checkpoint_minutes=0.0001"), tmp_path, Observer())
    assert_same_run(tmp_path, finished.run)
    assert len(list((tmp_path / "checkpoints").iterdir())) <= 3


@pytest.mark.heavy
def test_a_run_with_loader_processes_resumes_exactly(finished, tmp_path):
    config = small_config("loader.workers=2")
    interrupt(tmp_path, Interrupter("epoch 1", 3), config)
    interrupt(tmp_path, Interrupter("validation", 1))
    resume(tmp_path, None, Observer())
    assert_same_run(tmp_path, finished.run)


def test_a_run_in_bf16_resumes_exactly(tmp_path):
    config = small_config("data.scene_images=20", "stages.warmup=1", "run.precision=bf16")
    train(config, tmp_path / "whole", Observer())
    interrupt(tmp_path / "parts", Interrupter("epoch 1", 1), config)
    resume(tmp_path / "parts", None, Observer())
    assert_same_run(tmp_path / "parts", tmp_path / "whole")


def test_an_interruption_while_images_load_keeps_the_checkpoint(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert interrupt(run, Interrupter("training images", 1)) == 130
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.parametrize("phase", ["scenes", "training images", "validation images"])
def test_an_interruption_before_the_first_batch_leaves_no_folder(tmp_path, phase):
    assert interrupt(tmp_path / "run", Interrupter(phase, 1), small_config()) == 130
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_left_as_it_is(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    outcome = resume(run, None, Observer())
    assert list(outcome.records) == list(finished.outcome.records)
    assert_same_run(run, finished.run)


def test_more_epochs_continue_a_finished_run(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    outcome = resume(run, changed_by(run, "stages.full=3"), Observer())
    assert [record.epoch for record in outcome.records] == [0, 1, 2, 3, 4]
    assert outcome.records[-1].stage == "full"
    assert read_config(run).stages.full == 3
    assert records_of(run)[:4] == records_of(finished.run)


def test_more_patience_lets_a_stopped_run_go_on(tmp_path):
    changes = ("data.scene_images=20", "stages.warmup=1", "stages.full=3")
    stopping = ("early_stopping.patience=1", "early_stopping.min_delta=100")
    assert train(small_config(*changes, *stopping), tmp_path, Observer()).is_stopped_early
    assert len(resume(tmp_path, None, Observer()).records) == 2
    outcome = resume(tmp_path, changed_by(tmp_path, "early_stopping.patience=2"), Observer())
    assert outcome.is_stopped_early
    assert [record.patience_used for record in outcome.records] == [0, 1, 2]


def test_what_must_not_change_is_refused_and_listed(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    before = (run / "config.toml").read_bytes()
    with pytest.raises(ConfigError) as caught:
        resume(
            run, changed_by(run, "kl.factor=0.5", "latent.tokens=3", "run.threads=2"), Observer()
        )
    message = str(caught.value)
    assert "kl.factor: 0.2 -> 0.5" in message and "latent.tokens: 6 -> 3" in message
    assert "run.threads" not in message
    assert (run / "config.toml").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    ["run.checkpoint_minutes=1", "loader.cache_mib=0", "early_stopping.patience=9"],
)
def test_what_may_change_is_recorded(finished, tmp_path, change):
    run = copy_of(finished, tmp_path)
    resume(run, changed_by(run, change), Observer())
    assert read_config(run) == changed_by(run, change)
    assert_same_run(run, finished.run)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kl.factor", "0.7"),
        ("latent.dims", "8"),
        ("run.seed", "9"),
        ("optimizer.decoder_rate", "0.1"),
        ("loader.batch_size", "16"),
        ("teacher.weight", "0.9"),
    ],
)
def test_an_edited_configuration_is_refused_as_an_option_would_be(finished, tmp_path, key, value):
    run = copy_of(finished, tmp_path)
    config = load_config(run / "config.toml", overrides=[f"{key}={value}"])
    (run / "config.toml").write_text(config_to_toml(config))
    with pytest.raises(ConfigError) as caught:
        resume(run, None, Observer())
    message = str(caught.value)
    assert message.startswith(f"{run / 'config.toml'} was edited: --resume cannot change")
    assert f"  {key}: " in message and len(message.splitlines()) == 2


def test_another_plan_stands_in_the_log_and_is_told(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    before = (run / LOG_NAME).read_bytes().splitlines()
    recorder = Recorder(run)
    resume(run, load_config(run / "config.toml", overrides=["stages.full=3"]), recorder)
    assert "the plan changes from 4 to 5 epochs: learning rates follow the new plan" in " ".join(
        recorder.notices
    )
    history = read_history(run)
    assert history.header.stages.total == 5 and len(history.records) == 5
    assert (run / LOG_NAME).read_bytes().splitlines()[1:5] == before[1:]


def log_lines(run):
    return (run / LOG_NAME).read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda lines: lines[:-1], "epoch 3 written from the checkpoint"),
        (lambda lines: [*lines[:-1], lines[-1][:50]], "set aside"),
        (
            lambda lines: [*lines, lines[-1].replace(b'"epoch":3', b'"epoch":4')],
            "1 line set aside",
        ),
        (lambda lines: [*lines, b'{"kind":"epoch","epo'], "1 line set aside"),
    ],
    ids=["missing", "torn", "later", "begun"],
)
def test_the_log_is_reconciled_with_the_checkpoint(finished, tmp_path, damage, told):
    run, recorder = copy_of(finished, tmp_path), Recorder()
    (run / LOG_NAME).write_bytes(b"".join(damage(log_lines(run))))
    resume(run, None, recorder)
    assert_same_run(run, finished.run)
    assert read_history(run).notes == ()
    assert any(told in text for text in recorder.notices)
    if "set aside" in told:
        assert (run / SET_ASIDE_NAME).read_bytes().strip()


def test_a_changed_table_is_refused(tmp_path):
    table = write_rows(tmp_path / "t.csv", questions(6))
    images = write_images(tmp_path / "images", 6)
    config = load_config(
        overrides=[
            *(text for text in small_overrides() if not text.startswith("data.")),
            f"data.train={table}",
            f"data.images={images}",
            "stages.warmup=1",
            "stages.full=1",
        ]
    )
    train(config, tmp_path / "run", Observer())
    write_rows(table, questions(6)[:-1])
    with pytest.raises(CheckpointError, match=r"t\.csv: the table has changed since"):
        resume(tmp_path / "run", None, Observer())
    table.unlink()
    with pytest.raises(CheckpointError, match=r"t\.csv: the run's table cannot be read"):
        resume(tmp_path / "run", None, Observer())


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "model.json", "tokenizer.json", "trainer.safetensors", "trainer.json"],
)
def test_a_damaged_checkpoint_is_passed_over_and_trained_again(finished, tmp_path, name):
    run, recorder = copy_of(finished, tmp_path), Recorder()
    newest = load_checkpoint(run / "last").folder
    flip_a_byte(newest / name)
    resume(run, None, recorder)
    told = next(text for text in recorder.notices if "using" in text)
    assert str(newest / name) in told and f"0003-{3 * STEPS:08d} instead" in told
    assert load_checkpoint(run / "last").notes == ()  # the damaged one was replaced
    assert_same_run(run, finished.run)


def test_without_an_intact_checkpoint_the_error_names_all(finished, tmp_path):
    run = copy_of(finished, tmp_path)
    for folder in (run / "checkpoints").iterdir():
        flip_a_byte(folder / "model.safetensors")
    with pytest.raises(CheckpointError) as caught:
        resume(run, None, Observer())
    assert str(caught.value).count("is damaged") == 2
    assert "No intact checkpoint is left" in str(caught.value)


def test_another_machine_is_warned_about(finished, tmp_path):
    run, recorder = copy_of(finished, tmp_path), Recorder()
    folder = load_checkpoint(run / "last").folder
    trainer = json.loads((folder / "trainer.json").read_text())
    trainer["platform"]["cpu"] = "ELSE"
    replace_summed({folder / "trainer.json": json.dumps(trainer).encode()})
    resume(run, None, recorder)
    assert any("not bit for bit" in text and "cpu ELSE ->" in text for text in recorder.notices)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"no config\.toml in it"):
        resume(tmp_path, None, Observer())


def test_every_epoch_is_saved_before_it_is_logged(tmp_path):
    class Checker(Observer):
        def epoch(self, header, records, diagnosis):
            saved = load_checkpoint(tmp_path / "last").model["epoch"]
            assert saved == records[-1].epoch == read_history(tmp_path).records[-1].epoch

    train(small_config("data.scene_images=20"), tmp_path, Checker())
    epochs = [record["epoch"] for record in records_of(tmp_path)]
    assert all(later == earlier + 1 for earlier, later in itertools.pairwise(epochs))


def test_a_run_with_averaged_weights_resumes_exactly_and_is_judged_by_them(tmp_path):
    averaged = "optimizer.average_decay=0.9"
    whole = train_small(tmp_path / "whole", averaged)
    with interrupted():
        train(small_config(averaged), tmp_path / "parts", Interrupter("epoch 1", 3))
    resume(tmp_path / "parts", None, Observer())
    assert_same_run(tmp_path / "parts", tmp_path / "whole")
    kept = load_checkpoint(whole.run / "last")
    raw = {name for name in kept.trainer_tensors if name.startswith("raw.")}
    assert "raw.decoder.vocabulary.weight" in raw
    # what is saved is what validation saw
    loaded = load_model(whole.run / "last")
    scored = evaluate(loaded, validation_table(whole.run), Observer(), run=whole.run)
    last = whole.outcome.records[-1].val
    assert scored.losses.answer_loss == pytest.approx(last.answer_loss, rel=1e-4)


def test_no_link_that_stands_in_the_place_of_a_file_is_written_through(finished, tmp_path):
    run = shutil.copytree(finished.run, tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def plant(path):
        path.rename(elsewhere / path.name)
        path.symlink_to(elsewhere / path.name)

    for path in RunFolder(run).written_files():
        if path.is_file() and path != RunFolder(run).log:
            plant(path)
    known = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
    longer = small_config("stages.full=3")
    config = read_config(run).replace("stages", full=longer.stages.full)
    resume(run, config, Recorder())
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == known
    plant(RunFolder(run).log)
    known = (elsewhere / RunFolder(run).log.name).read_bytes()
    with pytest.raises(HistoryError, match="is a link, and nothing is written through one"):
        append_record(RunFolder(run).log, read_history(run).records[-1])
    assert (elsewhere / RunFolder(run).log.name).read_bytes() == known
