from dataclasses import replace
from pathlib import Path

from latentvqa.core.diagnosis import diagnose
from latentvqa.history import History
from latentvqa.report.markdown import diagnosis_markdown
from tests.runs import HEADER, make_epoch


def written(header, records):
    history = History(header, tuple(records), (), Path("metrics.jsonl"))
    return diagnosis_markdown(history, diagnose(header, records))


def test_a_run_as_markdown():
    text = written(HEADER, [make_epoch(0)])
    assert text.splitlines()[:2] == ["# demo", ""]
    assert "**ok: ok.** The latent carries 1.6" in text
    assert "| ok | KL002 kl_targets | 0 |" in text
    assert "| 0 | warmup | 3.00 | 1.000 | 1.100 | 87.5 | 0.050 | 0.035 | 30 | 19.2 |" in text
    assert "## Not judged" not in text


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
