"""Whatever a file holds, the command answers in a sentence: never with a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from latentvqa.cli import app
from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.errors import HistoryError, LatentVQAError
from latentvqa.logs import read_log
from tests.logs.conftest import RESEARCH, json_lines, research_row, table
from tests.logs.readers.test_json_rows import trainer_state
from tests.logs.readers.test_text_patterns import VAE
from tests.logs.test_lightning import METRICS

FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "pandas", "numpy", "matplotlib", "tensorboard")


def run(path, *options):
    """The exit code of the real command; anything but an error of ours is raised."""
    result = CliRunner().invoke(app, ["diagnose-kl", str(path), *options])
    error = result.exception
    if isinstance(error, LatentVQAError):
        assert str(error)
        return error.exit_code
    if error is not None and not isinstance(error, SystemExit):
        raise error
    assert "Traceback" not in result.output
    return result.exit_code


NUMBERS = st.one_of(
    st.sampled_from(["", "NaN", "-inf", "1e999", "1" + "0" * 400, "None", "x", "-1", "1e308", "0"]),
    st.integers(-2, 12).map(str),
    st.floats().map(str),
)
COLUMNS = st.sampled_from(
    [
        *RESEARCH,
        "step",
        "kl",
        "kl_raw",
        "loss",
        "val_loss",
        "beta",
        "lr",
        "acc",
        "au",
        "phase",
        "recon_loss",
        "vae_kl_loss",
        "capacity",
        "rate",
        "reward",
        "teacher_acc",
        "run_id",
        "tag",
        "value",
        "a - kl",
        "",
        "é",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(COLUMNS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def tables(draw):
    names = draw(st.lists(COLUMNS, min_size=1, max_size=8) | st.just(RESEARCH))
    row = st.lists(NUMBERS, min_size=max(len(names) - 1, 0), max_size=len(names) + 1)
    rows = draw(st.lists(row, max_size=8))
    return "\n".join(",".join(cells) for cells in [names, *rows]).encode()


OBJECTS = st.lists(st.dictionaries(COLUMNS, JSON, max_size=6), max_size=6)
STATES = OBJECTS.map(lambda rows: json.dumps({"log_history": rows}, indent=1).encode())
WORDS = st.sampled_from(
    [
        "Epoch",
        "Train Epoch:",
        "====> Epoch:",
        "1",
        "[0/10]",
        "loss:",
        "kl=",
        "nan",
        "0.5",
        "\t",
        "val",
        "| Val:",
        "[3/9]",
        "Recon 1.5",
        "kl_loss 1e-7 |",
        "50%|##| 1/2 [00:01, loss=2, kl=3]",
        "[====>...]",
        "+---+---+",
        "| epoch | kl |",
        "| 0 | 0.5 |",
        "epoch  kl",
        "tensor(0.5)",
        "Namespace(kl=1)",
    ]
)
TEXTS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=8).map("\n".join)
GOOD = st.sampled_from(
    [
        table([research_row(epoch) for epoch in range(4)]).encode(),
        METRICS.encode(),
        json.dumps(trainer_state()).encode(),
        VAE.encode(),
        json_lines([{"epoch": e // 2, "kl": 0.1, "loss": float("nan")} for e in range(8)]).encode(),
    ]
)


@st.composite
def broken(draw):
    """A good log with a piece cut out and other bytes in its place."""
    content = draw(GOOD)
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, len(content)))
    return content[:start] + draw(st.binary(max_size=20)) + content[end:]


CONTENTS = st.one_of(
    st.binary(max_size=200),
    tables(),
    OBJECTS.map(lambda rows: json_lines(rows).encode()),
    STATES,
    TEXTS.map(str.encode),
    broken(),
    st.just(b"[" * 100_000),
    st.just(b'{"a":' * 100_000),
    st.just(b'"' * 300_000),
)
NAMES = st.sampled_from(
    ["log", "log.csv", "log.jsonl", "metrics.jsonl", "trainer_state.json", "metrics.csv", "out.txt"]
)
OPTIONS = st.lists(
    st.sampled_from(
        [
            ("--map", "kl_raw=kl"),
            ("--map", "val_kl=loss"),
            ("--map", "epoch=step"),
            ("--steps-per-epoch", "3"),
            ("--pattern", "key-value"),
            ("--set", "kl.reduction=sum"),
            ("--set", "latent.tokens=2"),
            ("--set", "kl.free_bits=0"),
            ("--format", "json"),
            ("--format", "markdown"),
            ("--fail-on", "warning"),
        ]
    ),
    max_size=3,
).map(lambda pairs: [part for pair in pairs for part in pair])


@given(NAMES, CONTENTS, OPTIONS)
@FUZZ
def test_no_bytes_lead_to_a_traceback(tmp_path, name, content, options):
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    (folder / name).write_bytes(content)
    assert run(folder / name, *options) in {0, 1, 2, 3}
    assert run(folder) in {0, 1, 2, 3}


@given(CONTENTS)
@FUZZ
def test_a_history_is_judged_or_refused(tmp_path, content):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    try:
        history = read_log(path)
    except HistoryError as error:
        assert "log.csv" in str(error)
        return
    assert history.records or history.header.unjudged
    assert len(history.notes) <= 10
    epochs = [record.epoch for record in history.records]
    assert epochs == sorted(set(epochs))
    assert diagnose(history.header, history.records, notes=history.notes).verdict.sentence


@pytest.mark.parametrize("output_format", ["table", "json", "markdown", "html"])
def test_every_format_of_log_can_be_shown_in_every_format(tmp_path, output_format):
    logs = {
        "research.csv": table([research_row(epoch) for epoch in range(4)]),
        "metrics.csv": METRICS,
        "trainer_state.json": json.dumps(trainer_state()),
        "out.txt": VAE,
    }
    for name, content in logs.items():
        (tmp_path / name).write_text(content)
        assert run(tmp_path / name, "--format", output_format) == 0


def test_a_loss_that_is_not_a_number_is_told_as_divergence(tmp_path):
    rows = [research_row(epoch, train_total="nan", train_answer="nan") for epoch in range(3)]
    (tmp_path / "log.csv").write_text(table(rows))
    assert run(tmp_path / "log.csv", "--fail-on", "critical") == 3


def test_a_folder_without_a_log_and_a_missing_file_are_errors(tmp_path):
    assert run(tmp_path) == 1
    assert run(tmp_path / "none") == 1
    with pytest.raises(HistoryError, match=r"looked for metrics\.jsonl, metrics\.csv"):
        read_log(tmp_path)


def test_nothing_heavy_is_imported(tmp_path):
    (tmp_path / "log.csv").write_text(table([research_row(epoch) for epoch in range(4)]))
    (tmp_path / "run.toml").write_text("[kl]\nfree_bits = 0.1\n")
    program = (
        "import sys\nfrom latentvqa.cli import app\n"
        "app(['diagnose-kl', *sys.argv[1:]], standalone_mode=False)\n"
        f"assert not set({HEAVY!r}) & set(sys.modules)\n"
    )
    arguments = [str(tmp_path / "log.csv"), "--config", str(tmp_path / "run.toml")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_row_that_sums_up_the_run_is_no_epoch(read):
    rows = [{"epoch": e, "loss": 3.0 - e, "kl": 0.5} for e in range(3)]
    summary = {"epoch": 2, "train_runtime": 9.5, "train_loss": 99.0}
    history = read("log.jsonl", json_lines([*rows, summary]))
    assert [record.train.total_loss for record in history.records] == [3.0, 2.0, 1.0]


def test_places_alone_are_no_measures(read):
    with pytest.raises(HistoryError, match="No line holds a measure"):
        read("log.txt", "".join(f"Train Epoch: {e} [0%]\n[1.5, 2.5, 200]\n" for e in range(9)))
