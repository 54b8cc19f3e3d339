"""Where a diagnosis goes: which options exclude each other, and what is written where."""

import json
from pathlib import Path

import pytest

from latentvqa.cli.diagnosis_output import PLAIN_WIDTH, DiagnosisOutput, OutputFormat
from latentvqa.errors import ConfigError, HistoryError, OutputError
from tests.report.diagnosis.judged import judged
from tests.runs import make_run

SICK = {"information_bound": 0.5, "answer_gain": 0.1}


@pytest.fixture
def runs():
    return [judged(make_run(20)), judged(make_run(20, val=SICK), name="sick")]


def written(runs, out, output_format=OutputFormat.table, **options):
    DiagnosisOutput(output_format, out, **options).write(runs)
    return out.read_text(encoding="utf-8")


def test_options_that_go_together_are_accepted(tmp_path):
    for output, runs, is_watched in (
        (DiagnosisOutput(OutputFormat.html, tmp_path / "a"), 3, False),
        (DiagnosisOutput(OutputFormat.json, plot=tmp_path / "a.SVG"), 1, False),
        (DiagnosisOutput(OutputFormat.table, plot=tmp_path / "a.png"), 1, True),
    ):
        output.require_possible(runs=runs, is_watched=is_watched)


@pytest.mark.parametrize(
    ("options", "runs", "is_watched", "words"),
    [
        ({"plot": Path("a.pdf")}, 1, False, "must end in .svg or .png"),
        ({"plot": Path("svg")}, 1, False, "must end in .svg or .png"),
        ({"plot": Path("a.svg")}, 2, False, "draws one run"),
        ({}, 2, True, "give one RUN"),
        ({"out": Path("a")}, 1, True, "drop --format and --out"),
        ({"output_format": OutputFormat.html}, 1, True, "drop --format and --out"),
    ],
)
def test_options_that_exclude_each_other_are_named(options, runs, is_watched, words):
    output = DiagnosisOutput(**{"output_format": OutputFormat.table, **options})
    with pytest.raises(ConfigError) as refused:
        output.require_possible(runs=runs, is_watched=is_watched)
    assert words in str(refused.value)


def test_a_table_in_a_file_holds_every_epoch_of_one_width(runs, tmp_path):
    text = written(runs[:1], tmp_path / "a.txt")
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= PLAIN_WIDTH
    epochs = [line.split()[0] for line in text.splitlines() if line.split()[:1]]
    numbers = [word for word in epochs if word.isdigit()]
    assert numbers[:20] == [str(number) for number in range(20)]


def test_epochs_that_were_watched_are_shown_again_on_a_terminal_alone(runs, capsys):
    shown = {}
    for is_watched in (False, True):
        DiagnosisOutput(OutputFormat.table).write(runs[:1], is_watched=is_watched)
        shown[is_watched] = capsys.readouterr().out
    assert shown[False].endswith(shown[True])
    assert "answer loss" not in shown[True]
    assert len(shown[False].splitlines()) > len(shown[True].splitlines()) + 20


def test_several_runs_are_one_comparison_and_their_remarks(tmp_path):
    runs = [
        judged(make_run(20), notes=("one remark",)),
        judged(make_run(20, val=SICK), name="sick", notes=("[b]another[/b]",)),
    ]
    text = written(runs, tmp_path / "a.txt")
    assert text.index("critical: collapse") < text.index("demo: one remark")
    assert text.splitlines()[-1] == "sick: [b]another[/b]"


def test_each_format_says_the_same_verdict(runs, tmp_path):
    sick = runs[1:]
    sentence = sick[0].diagnosis.verdict.sentence
    found = json.loads(written(sick, tmp_path / "a.json", OutputFormat.json))
    assert found["verdict"]["sentence"] == sentence
    assert sentence in written(sick, tmp_path / "a.md", OutputFormat.markdown)
    assert sentence.split(":")[0] in written(sick, tmp_path / "a.html", OutputFormat.html)
    both = json.loads(written(runs, tmp_path / "b.json", OutputFormat.json))
    assert [run["verdict"]["code"] for run in both["runs"]] == ["ok", "collapse"]


@pytest.mark.parametrize("name", ["a.json", "a.md", "a.html"])
def test_a_file_ends_with_one_line_end(runs, tmp_path, name):
    kind = {"json": OutputFormat.json, "md": OutputFormat.markdown, "html": OutputFormat.html}
    text = written(runs, tmp_path / name, kind[name.split(".")[1]])
    assert text.endswith("\n") and not text.endswith("\n\n")


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.PNG", b"\x89PNG")])
def test_a_picture_is_what_its_name_ends_with(runs, tmp_path, name, start):
    output = DiagnosisOutput(OutputFormat.table, tmp_path / "a.txt", plot=tmp_path / name)
    output.write(runs[:1])
    assert (tmp_path / name).read_bytes().startswith(start)
    assert (tmp_path / "a.txt").is_file()


def test_what_cannot_be_written_or_drawn_is_named(runs, tmp_path):
    output = DiagnosisOutput(OutputFormat.table, tmp_path / "none" / "a.txt")
    for refused in (
        lambda: output.require_possible(runs=1, is_watched=False),
        lambda: output.write(runs),
    ):
        with pytest.raises(OutputError, match=r"--out .*none/a\.txt: cannot be written"):
            refused()
    empty = DiagnosisOutput(OutputFormat.json, tmp_path / "a.json", plot=tmp_path / "a.svg")
    with pytest.raises(HistoryError, match=r"--plot: .*metrics\.jsonl: .*nothing to draw"):
        empty.write([judged([])])


def test_a_file_and_a_picture_of_one_name_are_refused(tmp_path):
    output = DiagnosisOutput(OutputFormat.html, tmp_path / "a.svg", plot=tmp_path / "a.svg")
    with pytest.raises(OutputError, match=r"--plot .*which the same command needs"):
        output.require_possible(runs=1, is_watched=False)
