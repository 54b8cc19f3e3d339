from dataclasses import replace

from latentvqa.report.diagnosis.comparison import MEASURES
from latentvqa.report.diagnosis.markdown import diagnoses_markdown, diagnosis_markdown
from tests.report.diagnosis.judged import SICK, judged
from tests.runs import HEADER, make_epoch, make_run


def written(header, records):
    return diagnosis_markdown(judged(records, name=header.name, header=header))


def test_a_run_as_markdown():
    text = written(HEADER, [make_epoch(0)])
    assert text.splitlines()[:2] == ["# demo", ""]
    assert "**ok.** 1.6 of the 1.7 nats" in text
    assert "| ok | KL002 KL targets | 0 |" in text
    assert "| 0 | warmup | 3.00 | 1.000 | 1.100 | 87.5 | 0.050 | 0.035 | 30 | 19.2 |" in text
    assert "- memorised: the log holds no gain over models that see no image" in text


def test_every_table_row_has_the_same_number_of_cells():
    rows = [
        line
        for line in written(HEADER, [make_epoch(0), make_epoch(1)])
        .split("## Epochs")[1]
        .splitlines()
        if line.startswith("|")
    ]
    assert len({row.count("|") for row in rows}) == 1


def test_text_cannot_break_out_of_its_place():
    text = written(replace(HEADER, name="a|b\n# <i>*c*"), [])
    assert text.startswith("# a\\|b # \\<i\\>\\*c\\*\n")


def test_several_runs_stand_below_a_table_that_compares_them():
    runs = [judged(make_run(2, val={"capacity": 12.0}), name="a"), judged([], name="b|c")]
    lines = diagnoses_markdown(runs).splitlines()
    assert lines[0] == "# Comparison"
    assert lines[2].startswith("| run | verdict | epochs | stage | KL raw |")
    assert lines[4] == (
        "| a | ok | 2 | warmup | 0.050 | 0.035 | 30 | 19.2 | 12.0 | 1.70 | 1.60 | 0.500 | 0.550 "
        "| 87.5 | 384 |"
    )
    assert lines[5] == f"| b\\|c | critical: no epochs | 0 {'| - ' * (len(MEASURES) - 2)}|"
    assert [line for line in lines if line.startswith("# ")] == ["# Comparison", "# a", "# b\\|c"]


def test_a_long_run_is_shortened_and_says_so():
    run = judged(make_run(200, **SICK))
    short, whole = diagnosis_markdown(run), diagnosis_markdown(run, is_whole=True)
    assert "12 of 200 epochs shown; --all-epochs for all" in short
    assert "epochs shown" not in whole
    assert short.count("| full |") == 11
    assert whole.count("| full |") == 185
