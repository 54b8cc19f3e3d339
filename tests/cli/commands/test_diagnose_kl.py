import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from latentvqa.cli.commands.diagnose_kl import diagnose_kl
from latentvqa.errors import ConfigError, HistoryError, OutputError
from latentvqa.history import LOG_NAME, append_record, write_header
from tests.runs import HEADER, make_run

HEAVY = ("torch", "pandas", "numpy", "matplotlib", "torchvision", "timm", "jinja2")
SICK = {"information_bound": 0.5, "answer_gain": 0.1}
ROOT = Path(__file__).parents[3]

app = typer.Typer()
app.command("diagnose-kl")(diagnose_kl)


@app.callback()
def main():
    """Stand-in for the package's own application."""


def save(folder, records):
    folder.mkdir(exist_ok=True)
    write_header(folder / LOG_NAME, HEADER)
    for record in records:
        append_record(folder / LOG_NAME, record)
    return str(folder)


@pytest.fixture
def healthy(tmp_path):
    return save(tmp_path / "healthy", make_run(20))


@pytest.fixture
def collapsed(tmp_path):
    return save(tmp_path / "collapsed", make_run(20, val=SICK))


def invoke(*arguments):
    return CliRunner().invoke(app, ["diagnose-kl", *arguments])


def flowing(text):
    """Sentences as they were before the width of the terminal broke them."""
    return " ".join(text.split())


def test_the_table_ends_with_the_verdict(healthy):
    result = invoke(healthy)
    assert result.exit_code == 0
    assert "1.6 of the 1.7 nats" in result.output
    assert result.output.index("answer") < result.output.index("1.6 of the 1.7 nats")


@pytest.mark.parametrize("name", ["last", "best", LOG_NAME])
def test_a_run_may_be_named_by_what_is_in_it(healthy, name):
    assert invoke(f"{healthy}/{name}").exit_code == 0


def test_json_is_one_object(healthy, collapsed):
    assert json.loads(invoke(healthy, "--format", "json").stdout)["verdict"]["level"] == "ok"
    both = json.loads(invoke(healthy, collapsed, "--format", "json").stdout)
    assert [run["verdict"]["code"] for run in both["runs"]] == ["ok", "collapse"]


@pytest.mark.parametrize(
    ("run", "fail_on", "code"),
    [
        ("healthy", "warning", 0),
        ("healthy", "critical", 0),
        ("collapsed", "critical", 3),
        ("collapsed", "warning", 3),
        ("collapsed", None, 0),
    ],
)
def test_open_findings_fail_the_command_where_asked(request, run, fail_on, code):
    options = ["--fail-on", fail_on] if fail_on else []
    assert invoke(request.getfixturevalue(run), *options).exit_code == code


def test_a_warning_does_not_fail_where_only_critical_counts(tmp_path):
    run = save(tmp_path / "run", make_run(20, train={"teacher_loss": 0.0}, teacher=None))
    assert invoke(run, "--fail-on", "critical").exit_code == 0
    assert invoke(run, "--fail-on", "warning").exit_code == 3


def test_a_threshold_can_be_replaced(healthy):
    options = ["--set", "kl_health.high_kl=0.04", "--set", "kl_health.high_kl_late=0.04"]
    options += ["--set", "kl_health.high_kl_stuck=0.04", "--set", "kl_health.healthy_kl_high=0.04"]
    assert "kl_high" in invoke(healthy, "--format", "json", *options).stdout


@pytest.mark.parametrize(
    ("output_format", "part"), [("markdown", "# demo"), ("html", "<h1>demo</h1>")]
)
def test_other_formats_go_to_stdout_or_a_file(healthy, tmp_path, output_format, part):
    assert part in invoke(healthy, "--format", output_format).stdout
    out = tmp_path / "out"
    result = invoke(healthy, "--format", output_format, "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert part in out.read_text(encoding="utf-8")


def test_a_table_in_a_file_is_plain_text(healthy, tmp_path):
    invoke(healthy, "--out", str(tmp_path / "out"))
    assert "\x1b" not in (tmp_path / "out").read_text(encoding="utf-8")


def test_the_page_shows_the_config_of_the_run(healthy):
    (Path(healthy) / "config.toml").write_text("[kl]\nfactor = 0.2\n")
    assert "factor = 0.2" in invoke(healthy, "--format", "html").stdout


def test_what_if_is_answered(healthy):
    shown = flowing(invoke(healthy, "--what-if", "free_bits=0.05").stdout)
    assert "the price holds the KL" in shown


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--what-if", "factor=1"], ConfigError),
        (["--set", "kl_health.hihg_kl=1"], ConfigError),
        (["--out", "/nowhere/at/all"], OutputError),
    ],
)
def test_faults_are_our_own_errors(healthy, options, error):
    assert isinstance(invoke(healthy, *options).exception, error)


def test_a_missing_run_is_refused(tmp_path):
    assert isinstance(invoke(str(tmp_path / "none")).exception, HistoryError)


def test_several_runs_are_compared_in_one_table(healthy, collapsed):
    shown = invoke(healthy, collapsed, "--what-if", "free_bits=0.05").stdout
    assert "critical: collapse" in shown and "exact" in shown
    assert str(Path(healthy)) in shown.replace("\n", "")  # both logs have the same name
    assert flowing(shown).count("the price holds the KL") == 2
    assert "The latent carries" not in shown


def test_the_notes_of_compared_runs_are_told(healthy, collapsed):
    log = Path(healthy) / LOG_NAME
    log.write_bytes(log.read_bytes()[:-30])
    shown = flowing(invoke(healthy, collapsed).stdout)
    assert "is cut in the middle" in shown


@pytest.mark.parametrize(
    ("output_format", "parts"),
    [
        ("markdown", ["# Comparison", "| run | verdict |", "## Epochs"]),
        (
            "html",
            ["<h1>2 runs</h1>", 'href="#run-1"', "<h2>Curves</h2>", 'id="run-0"'],
        ),
    ],
)
def test_a_comparison_stands_before_the_runs(healthy, collapsed, output_format, parts):
    text = invoke(healthy, collapsed, "--format", output_format).stdout
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("b.PNG", b"\x89PNG")])
def test_the_curves_are_drawn_besides(collapsed, tmp_path, name, start):
    result = invoke(collapsed, "--plot", str(tmp_path / name))
    assert "collapse" in result.stdout
    assert (tmp_path / name).read_bytes().startswith(start)


def test_a_log_without_epochs_cannot_be_drawn(tmp_path):
    run = save(tmp_path / "run", [])
    result = invoke(run, "--plot", str(tmp_path / "a.svg"))
    assert isinstance(result.exception, HistoryError)
    assert "nothing to draw" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--plot", "a.jpg"], "must end in .svg or .png"),
        (["--plot", "a"], "must end in .svg or .png"),
        (["--plot", "a.svg", "{run}"], "draws one run"),
        (["--watch", "{run}"], "give one RUN"),
        (["--watch", "--format", "json"], "drop --format"),
        (["--watch", "--out", "a.txt"], "drop --format and --out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(healthy, options, told):
    result = invoke(healthy, *(option.format(run=healthy) for option in options))
    assert isinstance(result.exception, ConfigError)
    assert told in str(result.exception)
    assert result.stdout == ""


@pytest.fixture
def long(tmp_path):
    return save(tmp_path / "long", make_run(200, lambda n: {"val": SICK} if n > 76 else {}))


def test_a_long_run_fits_the_terminal_unless_all_is_asked_for(long, monkeypatch):
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "100"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    short, whole = invoke(long).stdout, invoke(long, "--all-epochs").stdout
    assert "of 200 epochs shown; --all-epochs for all" in short
    assert len(short.splitlines()) < 40
    assert "77" in short.split("epochs shown")[0]
    assert "epochs shown" not in whole
    assert len(whole.splitlines()) > 200


def test_nothing_is_left_out_where_no_terminal_is(long):
    assert "epochs shown" not in invoke(long).stdout


def test_a_torn_log_is_read_and_said(healthy):
    log = Path(healthy) / LOG_NAME
    log.write_bytes(log.read_bytes()[:-30])
    assert "cut in the middle" in invoke(healthy).stdout


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (["--format", "table"], ()),
        (["--format", "json"], ()),
        (["--format", "markdown"], ()),
        (["--format", "html"], ("jinja2",)),
        (["--plot", "curves.svg"], ("matplotlib", "numpy")),
        (["--watch"], ()),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_that_is_not_needed(long, tmp_path, options, needed):
    program = (
        "import sys, typer\n"
        "from latentvqa.cli.commands.diagnose_kl import diagnose_kl\n"
        "app = typer.Typer()\n"
        "app.command()(diagnose_kl)\n"
        f"app([{long!r}, *{options!r}], standalone_mode=False)\n"
        f"heavy = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        f"assert heavy == sorted({needed!r}), heavy\n"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"diagnose-kl {' '.join(options)}: {time.perf_counter() - started:.2f} s")
    assert done.returncode == 0, done.stderr
    assert "collapse" in done.stdout


def test_no_help_text_is_taken_for_markup():
    from typer.main import get_command

    from latentvqa.cli import app

    commands = [get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        for option in command.params:
            assert "[" not in (getattr(option, "help", None) or ""), option.name
