"""No command writes over what it reads, or over what it was not told to replace."""

import shutil

import pytest

from tests.small_runs import questions, write_images, write_rows

OLD = b"kept"


@pytest.fixture(scope="module")
def place(finished, tmp_path_factory):
    """A run, its log, pictures and questions, and an old file; nobody may change them."""
    folder = tmp_path_factory.mktemp("place")
    run = shutil.copytree(finished.run, folder / "run", ignore=shutil.ignore_patterns("data"))
    write_images(folder / "images", 2)
    (folder / "log.csv").write_text("epoch,kl,loss\n0,1.0,2.0\n1,0.9,1.5\n")
    (folder / "questions.csv").write_text("what?\n")
    write_rows(folder / "val.csv", questions(2))
    (folder / "why" / "old").mkdir(parents=True)
    for name in ("old.csv", "old.svg", "old.html", "why/0.png.png"):
        (folder / name).write_bytes(OLD)
    (folder / "linked.csv").symlink_to("questions.csv")
    (folder / "linked.svg").hardlink_to(run / "metrics.jsonl")
    (folder / "same").symlink_to("images")
    return folder


def state_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


THERE, READ = "there already", "the same command needs"
ASK = "predict {run} {images} --questions {here}/questions.csv"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (f"{ASK} --out {{here}}/old.csv", THERE),
        (f"{ASK} --out {{here}}/questions.csv", READ),
        (f"{ASK} --out {{here}}/questions.csv --overwrite", READ),
        (f"{ASK} --out {{here}}/linked.csv --overwrite", READ),
        (f"{ASK} --out {{run}}/split.csv --overwrite", READ),
        (f"{ASK} --explain {{here}}/why", THERE),
        (f"{ASK} --explain {{images}} --overwrite", "what is read lies there"),
        (f"{ASK} --explain {{here}}/same --overwrite", "what is read lies there"),
        (f"{ASK} --explain {{here}}/old.csv --overwrite", "is a file"),
        ("report {run} --out {here}/old.html", THERE),
        ("report {run} --out {run}/config.toml --overwrite", READ),
        ("report {run}/last --out {run}/metrics.jsonl --overwrite", READ),
        ("diagnose-kl {run} --format json --out {here}/old.html", THERE),
        ("diagnose-kl {run} --out {run}/metrics.jsonl --overwrite", READ),
        ("diagnose-kl {run}/best --out {run}/best --overwrite", READ),
        ("diagnose-kl {here}/log.csv --out {here}/log.csv --overwrite", READ),
        ("diagnose-kl {run} --plot {here}/old.svg", THERE),
        ("diagnose-kl {run} --plot {here}/linked.svg --overwrite", READ),
        ("data convert easy-vqa --questions {here}/old.csv --out {here}/old.csv --overwrite", READ),
        ("data convert folders {images} --out {here}/old.csv", THERE),
        ("data make-scenes {here} --overwrite", "no scenes.json"),
        ("data make-scenes {images}", "not empty"),
    ],
)
def test_an_input_or_an_old_file_is_refused_before_the_work_and_stays(cli, place, command, told):
    before = state_of(place)
    known = {"run": place / "run", "images": place / "images", "here": place}
    done = cli(*(part.format(**known) for part in command.split()))
    assert (done.code, done.out) == (1, ""), done.err
    assert told in done.err and len(done.err.splitlines()) == 1
    assert state_of(place) == before


def test_with_overwrite_old_files_give_way(cli, place, tmp_path):
    folder = shutil.copytree(place, tmp_path / "place", symlinks=True)
    run, images = folder / "run", folder / "images"
    for command in (
        ("predict", run, images, "--question", "q?", "--out", folder / "old.csv"),
        ("predict", run, images, "--question", "q?", "--explain", folder / "why"),
        ("report", run, "--samples", 0, "--out", folder / "old.html"),
        ("diagnose-kl", run, "--plot", folder / "old.svg"),
    ):
        assert cli(*command, "--overwrite").code == 0
    for name in ("old.csv", "old.svg", "old.html", "why/0.png.png"):
        assert (folder / name).read_bytes() != OLD
