import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from latentvqa.cli.diagnose_kl import diagnose_kl
from latentvqa.errors import ConfigError, HistoryError
from latentvqa.history import LOG_NAME, append_record, write_header
from tests.runs import HEADER, make_run

HEAVY = ("torch", "pandas", "numpy", "matplotlib", "torchvision", "timm")
SICK = {"information_bound": 0.5, "answer_gain": 0.1}
ROOT = Path(__file__).parents[2]

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


def test_the_table_ends_with_the_verdict(healthy):
    result = invoke(healthy)
    assert result.exit_code == 0
    assert "The latent carries 1.6" in result.output
    assert result.output.index("answer") < result.output.index("The latent carries 1.6")


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
    assert "the price holds the KL" in " ".join(
        invoke(healthy, "--what-if", "free_bits=0.05").stdout.split()
    )


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--what-if", "factor=1"], ConfigError),
        (["--set", "kl_health.hihg_kl=1"], ConfigError),
        (["--out", "/nowhere/at/all"], HistoryError),
    ],
)
def test_faults_are_our_own_errors(healthy, options, error):
    assert isinstance(invoke(healthy, *options).exception, error)


def test_a_missing_run_and_two_pages_are_refused(healthy, tmp_path):
    assert isinstance(invoke(str(tmp_path / "none")).exception, HistoryError)
    assert isinstance(invoke(healthy, healthy, "--format", "html").exception, ConfigError)


def test_a_torn_log_is_read_and_said(healthy):
    log = Path(healthy) / LOG_NAME
    log.write_bytes(log.read_bytes()[:-30])
    assert "cut in the middle" in invoke(healthy).stdout


@pytest.mark.parametrize("output_format", ["table", "json", "markdown", "html"])
def test_nothing_heavy_is_imported(healthy, output_format):
    program = (
        "import sys, typer\n"
        "from latentvqa.cli.diagnose_kl import diagnose_kl\n"
        "app = typer.Typer()\n"
        "app.command()(diagnose_kl)\n"
        f"app([{healthy!r}, '--format', {output_format!r}], standalone_mode=False)\n"
        f"heavy = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "assert not heavy, heavy\n"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(f"diagnose-kl --format {output_format}: {time.perf_counter() - started:.2f} s")
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout
