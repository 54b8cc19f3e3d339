"""``latentvqa train --from RUN``."""

from latentvqa.engine.runs.folder import read_config
from tests.small_runs import set_options, start_cli, write_images, write_rows


def run_cli(*arguments, cwd):
    process = start_cli(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def test_a_run_trains_on_new_data_with_what_another_one_learnt(finished, tmp_path):
    images = write_images(tmp_path / "photos", 12, side=48)
    rows = [(path.name, "what is it?", "cat") for path in sorted(images.iterdir())]
    table = write_rows(tmp_path / "rows.csv", rows)
    data = ["--set", f"data.train={table}", "--set", f"data.images={images}"]
    short = ["--set", "stages.warmup=1", "--set", "stages.full=0"]
    code, out, err = run_cli("train", "--from", finished.run, *data, *short, cwd=tmp_path)
    assert code == 0, err
    assert "begins with the weights of" in out + err
    (run,) = (tmp_path / "runs").iterdir()
    config, known = read_config(run), read_config(finished.run)
    assert config.run.init_from == finished.run
    assert (config.fusion, config.latent) == (known.fusion, known.latent)
    assert config.data.train == table


def test_new_data_must_be_named(finished, tmp_path):
    code, _, err = run_cli("train", "--from", finished.run, cwd=tmp_path)
    assert code == 2
    assert "data.train is missing" in err
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_is_no_run_is_told(tmp_path):
    code, _, err = run_cli("train", "--from", tmp_path, *set_options(), cwd=tmp_path)
    assert code == 1
    assert "Traceback" not in err
    assert str(tmp_path) in err


def test_resume_and_from_are_two_things(finished, tmp_path):
    code, _, err = run_cli("train", "--resume", finished.run, "--from", finished.run, cwd=tmp_path)
    assert code == 2
    assert "drop --config, --preset, --from" in err
