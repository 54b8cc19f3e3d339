import bz2
import gzip
import io
import json
import lzma
import zipfile

import pytest

from latentvqa.errors import HistoryError
from latentvqa.logs.readers.formats import locate


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("log.csv", "epoch,kl_raw,total_loss\n0,1,2\n", "table"),
        ("log.txt", "epoch\tkl_raw\n0\t1\n", "table"),
        ("log.jsonl", '{"epoch": 0, "kl": 1}\n{"epoch": 1, "kl": 1}\n', "JSON lines"),
        ("log.json", '[{"epoch": 0, "kl": 1}]', "JSON"),
        ("any.log", '{"kind": "header"}\n', "own"),
        ("metrics.jsonl", "nothing\n", "own"),  # its reader says what is wrong
        ("log.out", "epoch 1 kl: 0.5 loss: 1.5\nepoch 2 kl: 0.4 loss: 1.4\n", "text"),
        ("state.json", json.dumps({"log_history": [{"loss": 1}]}), "trainer state"),
    ],
)
def test_a_file_is_known_by_its_first_lines(tmp_path, name, content, kind):
    (tmp_path / name).write_text(content)
    assert locate(tmp_path / name) == (tmp_path / name, kind)


def test_of_a_folder_the_newest_state_is_taken(tmp_path):
    for number in (9, 100, 20):
        place = tmp_path / f"checkpoint-{number}" / "trainer_state.json"
        place.parent.mkdir()
        place.write_text(json.dumps({"log_history": [{"loss": 1}]}))
    assert locate(tmp_path)[0].parent.name == "checkpoint-100"


def test_a_run_folder_is_our_own_before_anything_else(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"kind": "header"}\n')
    (tmp_path / "metrics.csv").write_text("epoch,kl\n0,1\n")
    assert locate(tmp_path) == (tmp_path / "metrics.jsonl", "own")


def test_an_empty_folder_and_a_binary_file_are_refused(tmp_path):
    with pytest.raises(HistoryError, match=r"there is no log in .*looked for"):
        locate(tmp_path)
    (tmp_path / "x.bin").write_bytes(b"\0\1\2" * 9)
    with pytest.raises(HistoryError, match="binary file"):
        locate(tmp_path / "x.bin")


def test_a_missing_file_is_left_to_our_own_reader(tmp_path):
    assert locate(tmp_path / "none.jsonl") == (tmp_path / "none.jsonl", "own")


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metrics.csv", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("pack", "told"),
    [
        (gzip.compress, "compressed with gzip"),
        (bz2.compress, "compressed with bzip2"),
        (lzma.compress, "compressed with xz"),
        (zipped, "a zip archive"),
        (lambda content: b"PAR1" + content, "a Parquet file"),
    ],
)
@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "metrics.jsonl", "log"])
def test_a_log_in_another_form_is_refused_whatever_its_name(tmp_path, pack, told, name):
    path = tmp_path / name
    path.write_bytes(pack(b"epoch,kl,loss\n1,0.5,1\n2,0.4,0.9\n"))
    with pytest.raises(HistoryError, match=f"{name} is {told}: unpack or export the log"):
        locate(path)


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["epoch\tloss\tkl", '{"saved": "a.pt"}', "0\t3.5\t0.5", "1\t2.5\t0.5"], "table"),
        (['{"lr": 0.1, "model": "a"}', *(f"epoch={e} loss=3.5 kl=0.5" for e in range(3))], "text"),
        (
            ["Saving a.pt", '{"epoch": 0, "kl": 0.5}', "loss=1", '{"epoch": 1, "kl": 0.5}'],
            "JSON lines",
        ),
    ],
)
def test_objects_beside_a_log_do_not_decide_its_format(tmp_path, lines, kind):
    path = tmp_path / "log"
    path.write_text("\n".join(lines))
    assert locate(path)[1] == kind
