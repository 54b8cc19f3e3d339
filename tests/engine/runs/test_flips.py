"""Files of real runs with one bit or byte changed, or their end cut off: never taken for whole.

What no command reads again is named in ``UNREAD``; every other file has its reader
here, as the commands use it.
"""

import random
import shutil
from collections import Counter
from fnmatch import fnmatch

import numpy as np
import pytest

from latentvqa.data.decoding import decode_image
from latentvqa.data.scenes.writing import are_scenes
from latentvqa.engine.complete_run import complete_run
from latentvqa.engine.run_report.samples import written_answers
from latentvqa.engine.runs.blind import read_blind_models
from latentvqa.engine.runs.checkpoint import load_checkpoint
from latentvqa.engine.runs.evaluations import read_evaluation
from latentvqa.engine.runs.folder import RunFolder, edited_notes, read_config
from latentvqa.engine.runs.latent_use import latent_use_of
from latentvqa.engine.runs.places import require_same_images
from latentvqa.engine.runs.saved_checkpoints import pointed_checkpoint, saved_names
from latentvqa.engine.runs.tables import read_training_answers, validation_table
from latentvqa.engine.runtime.observer import Observer
from latentvqa.engine.training.start import resume
from latentvqa.errors import LatentVQAError
from latentvqa.history import SET_ASIDE_NAME, read_history, reconcile
from latentvqa.sums import damaged_files
from tests.kept_run import tiny_config
from tests.small_runs import Recorder, assert_same_run, questions, write_images, write_rows

UNREAD = ("report.html", "curves.png", "*/confidence.png", "*/attention.*", "*.set-aside.jsonl")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run on scenes in its folder, and one on a table and images elsewhere; both evaluated."""
    home = tmp_path_factory.mktemp("flips")
    table = write_rows(home / "t.csv", questions(10))
    images = write_images(home / "images", 10)
    elsewhere = (f"data.train={table}", f"data.images={images}", "data.val_fraction=0.3")
    configs = {
        "scenes": tiny_config("data.val_fraction=0.3"),
        "table": tiny_config(*elsewhere, has_scenes=False),
    }
    for name, config in configs.items():
        complete_run(home / name, config, Observer())
    return [home / name for name in configs]


def refused(read):
    """The outcome of a reader that must not return."""

    def outcome(run, path):
        try:
            read(run, path)
        except LatentVQAError as error:
            assert path.name in str(error)
            return "refused"
        return None

    return outcome


def read_around(run, path):
    """A damaged line of the log is said, and written anew from the checkpoint."""
    saved = load_checkpoint(run / "last").log
    try:
        is_told = bool(read_history(run).notes)
    except LatentVQAError:
        is_told = True
    reconcile(path, len(saved.splitlines()) - 2, saved)
    (run / SET_ASIDE_NAME).unlink(missing_ok=True)
    return "repaired" if is_told and path.read_bytes() == saved else None


def found_out(run, path):
    """A pointer is found out from the checkpoints, and whoever loads it is told."""
    is_told = f"{path}: missing or damaged" in " ".join(load_checkpoint(path).notes)
    return "repaired" if is_told and pointed_checkpoint(run, path.name) == MEANT[path] else None


def left_out(run, path):
    """What training had seen is not used; a resumption, which looks for it, makes it anew."""
    is_left_out = read_training_answers(run) is None and path in damaged_files(run)
    return "refused" if is_left_out else None


def edited(run, path):
    try:
        read_config(run)
    except LatentVQAError:
        return "refused"
    return "told" if edited_notes(run) and path in damaged_files(run) else None


def forgotten(run, path):
    """A resumption tells it; till then only what the pointers name is the run's to remove."""
    named = {MEANT[run / "best"], MEANT[run / "last"]}
    return "refused" if path in damaged_files(run) and saved_names(run) == named else None


def without_test(run, path):
    """The verdict says that it is one without the test."""
    test, notes = latent_use_of(run)
    return "refused" if test is None and str(path) in " ".join(notes) else None


def without_its_pixels(run, path):
    """Refused, or shown as it was: what ends a PNG holds no pixel."""
    try:
        found = np.asarray(decode_image(path))
    except LatentVQAError as error:
        assert path.name in str(error)
        return "refused"
    return "read" if np.array_equal(found, PIXELS[path]) else None


PIXELS = {}  # of the whole pictures
MEANT = {}  # checkpoints by the pointers of the whole run
READERS = {
    "metrics.jsonl": read_around,
    "config.toml": edited,
    "best": found_out,
    "last": found_out,
    "checkpoints.json": forgotten,
    "answers.json": left_out,
    "split.csv": refused(lambda run, _: validation_table(run)),
    "images.csv": refused(
        lambda run, _: require_same_images(run, [("val", validation_table(run))], print)
    ),
    "blind.json": refused(lambda run, _: read_blind_models(run)),
    "blind.safetensors": refused(lambda run, _: read_blind_models(run)),
    "sums.json": refused(lambda run, _: load_checkpoint(run)),
    "checkpoints/*/*": refused(lambda _, path: load_checkpoint(path.parent)),
    "evaluations/*/evaluation.json": without_test,
    "evaluations/*/predictions.csv": refused(lambda run, _: written_answers(run)),
    "evaluations/*/sums.json": refused(lambda _, path: read_evaluation(path.parent)),
    "data/questions.csv": refused(lambda run, _: validation_table(run)),
    "data/scenes.json": lambda _, path: None if are_scenes(path.parent) else "refused",
    "data/images/*.png": without_its_pixels,
}


def reader_of(name):
    return next((read for pattern, read in READERS.items() if fnmatch(name, pattern)), None)


def read_again(runs):
    """Of each kind of file that a command reads one, with its run."""
    kinds = {}
    for run in runs:
        for path in sorted(run.rglob("*")):
            name = path.relative_to(run).as_posix()
            if path.is_file() and not any(fnmatch(name, pattern) for pattern in UNREAD):
                is_saved = name.startswith("checkpoints/")
                kind = next((pattern for pattern in READERS if fnmatch(name, pattern)), name)
                kinds.setdefault(f"checkpoints/*/{path.name}" if is_saved else kind, (run, path))
    return kinds


def damages(whole, chance, count):
    """Contents with one fault each."""
    for _ in range(count):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        yield "bits", bytes(damaged)
    for _ in range(count // 2):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= chance.randrange(1, 256)
        yield "bytes", bytes(damaged)
    for _ in range(count // 2):
        yield "cuts", whole[: chance.randrange(len(whole))]


@pytest.mark.parametrize("count", [6, pytest.param(100, marks=pytest.mark.heavy)])
def test_no_changed_bit_or_byte_and_no_cut_is_taken_for_the_file(runs, count):
    chance, missed = random.Random(0), Counter()
    for run in runs:
        MEANT.update({run / name: (run / name).read_text().strip() for name in ("best", "last")})
        pictures = run.glob("data/images/*.png")
        PIXELS.update({path: np.asarray(decode_image(path)) for path in pictures})
    for kind, (run, path) in read_again(runs).items():
        read, whole = reader_of(path.relative_to(run).as_posix()), path.read_bytes()
        assert read is not None, f"no reader is known here of {path}"
        counts = Counter()
        for damage, content in damages(whole, chance, count):
            path.write_bytes(content)
            outcome = read(run, path)
            counts[damage, outcome] += 1
            missed[kind] += outcome is None
        path.write_bytes(whole)
        print(f"{kind}: {', '.join(f'{n} {what} {how}' for (what, how), n in counts.items())}")
    assert len(missed) == len(READERS) + 7  # of checkpoints there are eight files
    assert +missed == {}


def spoil(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0, 1], ids=["scenes", "table"])
def test_a_resumption_makes_anew_what_is_damaged(runs, tmp_path, place):
    run, recorder = tmp_path / "run", Recorder()
    shutil.copytree(runs[place], run)
    places = RunFolder(run)
    lost = [places.best, places.last, places.answers, places.split, places.blind_models]
    lost += [places.blind_weights, places.log]
    whole = {path: path.read_bytes() for path in lost}
    for path in (*lost, places.saved):
        spoil(path)
    header, rest = places.log.read_bytes().split(b"\n", 1)
    places.log.write_bytes(header.replace(b"a", b"e", 1) + b"\n" + rest)
    resume(run, None, recorder)
    said = " ".join(recorder.notices)
    for path in lost:
        assert path.read_bytes() == whole[path], path
        assert path.stem in said
    assert "the header written anew" in said and places.saved.name in said
    assert damaged_files(run) == []
    assert_same_run(run, runs[place])
