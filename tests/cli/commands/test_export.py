"""``latentvqa export``, and the program of its page that needs neither package nor PyTorch."""

import csv
import json
import random
import runpy
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.exported_run import exported, program_of_the_page
from tests.small_runs import ROOT, read_csv

__all__ = ["exported"]

# what the program may not need, gone
ALONE = """
import runpy, sys
sys.modules.update(dict.fromkeys(["latentvqa", "torch", "torchvision", "timm", "tokenizers"]))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def asked_about(run) -> list[tuple[str, str]]:
    rows = read_csv(run / "data" / "questions.csv")
    return [(row["image"], row["question"]) for row in rows[::71]]


@pytest.mark.heavy
def test_the_program_of_the_page_answers_as_predict_does(cli, exported, tmp_path):
    (tmp_path / "answer.py").write_text(program_of_the_page(), encoding="utf-8")
    images = exported.run / "data" / "images"
    pairs = asked_about(exported.run)
    pictures = [images / name for name, _ in pairs]
    # one that is resized, stands on its side and comes as JPEG; a question with a
    # word that training never had
    sideways = tmp_path / "sideways.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(pictures[0]).resize((90, 61)).save(sideways, exif=exif)
    pairs.append(("sideways.jpg", "What SHAPE is the red object,unheard-of?"))
    pictures.append(sideways)
    for picture, (name, question) in zip(pictures, pairs, strict=True):
        told = cli("predict", exported.run, picture, "--question", question)
        (expected,) = csv.DictReader(told.out.splitlines())
        done = subprocess.run(
            [sys.executable, "-c", ALONE, "answer.py", exported.folder, picture, question],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer, _, confidence = done.stdout.strip().rpartition(" ")
        assert answer == expected["answer"], name
        assert float(confidence) == pytest.approx(float(expected["confidence"]), abs=1e-4)


@pytest.mark.heavy
def test_the_program_of_the_page_takes_no_changed_byte(exported, tmp_path, capsys, monkeypatch):
    program = tmp_path / "answer.py"
    program.write_text(program_of_the_page(), encoding="utf-8")
    (name, question), *_ = asked_about(exported.run)
    picture = exported.run / "data" / "images" / name
    folder, draw = tmp_path / "onnx", random.Random(0)
    shutil.copytree(exported.folder, folder)
    monkeypatch.setattr(sys, "argv", [str(program), str(folder), str(picture), question])
    for path in folder.iterdir():
        whole = path.read_bytes()
        for place in draw.sample(range(8 * len(whole.rstrip())), 100):
            harmed = bytearray(whole)
            harmed[place // 8] ^= 1 << place % 8
            path.write_bytes(harmed)
            with pytest.raises((SystemExit, ValueError)) as caught:
                runpy.run_path(str(program), run_name="__main__")
            if isinstance(caught.value, SystemExit):
                assert str(caught.value) == f"{path} is damaged"
        path.write_bytes(whole)
    assert capsys.readouterr().out == ""
    runpy.run_path(str(program), run_name="__main__")
    assert capsys.readouterr().out


@pytest.mark.heavy
def test_it_names_what_it_wrote_and_how_far_that_is_from_pytorch(exported):
    assert exported.done.returncode == 0, exported.done.stderr
    *written, compared = exported.done.stdout.splitlines()
    names = ["encoder.onnx", "decoder.onnx", "tokens.json", "model.json"]
    assert [line.split()[1] for line in written] == [str(exported.folder / one) for one in names]
    assert sorted(path.name for path in exported.folder.iterdir()) == sorted(names)
    differences = json.loads((exported.folder / "model.json").read_text())["largest_difference"]
    assert 0 <= differences["latents"] < 1e-4 and 0 <= differences["logits"] < 1e-4
    assert f"{differences['latents']:.1e}" in compared
    assert "Traceback" not in exported.done.stderr
    assert exported.done.stderr.splitlines() == [
        "exporting the model to ONNX, and comparing it with PyTorch"
    ]


@pytest.mark.heavy
def test_both_files_take_any_batch_and_a_question_of_any_length(exported):
    encoder, decoder = (
        onnxruntime.InferenceSession(exported.folder / f"{name}.onnx")
        for name in ("encoder", "decoder")
    )
    facts = json.loads((exported.folder / "model.json").read_text())
    side, longest = facts["image"]["size"], facts["question"]["longest"]
    for count, words in ((1, 1), (5, longest)):
        images = np.zeros((count, 3, side, side), np.uint8)
        questions = np.full((count, words), 4)
        (latents,) = encoder.run(None, {"image": images, "question": questions})
        assert latents.shape == (count, facts["latents"]["tokens"], facts["latents"]["dims"])
        begun = np.full((count, facts["answer"]["longest"]), facts["answer"]["begin"])
        (logits,) = decoder.run(None, {"latents": latents, "answer": begun})
        tokens = json.loads((exported.folder / "tokens.json").read_text())
        assert logits.shape == (count, len(tokens["answer"]))


@pytest.mark.heavy
def test_an_earlier_export_is_kept_without_overwrite(cli, exported):
    before = {path: path.read_bytes() for path in exported.folder.iterdir()}
    done = cli("export", exported.run, "--out", exported.folder)
    assert done.code == 1
    assert f"{exported.folder / 'encoder.onnx'}: is there already" in done.err
    assert {path: path.read_bytes() for path in exported.folder.iterdir()} == before


def test_a_run_that_is_not_there_leaves_no_folder(cli, tmp_path):
    done = cli("export", tmp_path / "absent", "--out", tmp_path / "onnx")
    assert done.code == 1
    assert str(tmp_path / "absent") in done.err
    assert list(tmp_path.iterdir()) == []


WITHOUT = """
import importlib.util as util
known = util.find_spec
util.find_spec = lambda name, *rest: None if name.startswith("onnx") else known(name, *rest)
from latentvqa.__main__ import run
run()
"""


def test_packages_that_are_missing_are_named_with_the_command_that_installs_them(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "export", tmp_path, "--out", tmp_path / "onnx"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'pip install "latentvqa[onnx]"' in done.stderr and "onnxruntime" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
