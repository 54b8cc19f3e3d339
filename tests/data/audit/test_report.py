import gc

import pytest

from latentvqa.config import load_config
from latentvqa.data.audit.report import audit_tables
from latentvqa.errors import DataError
from tests.small_runs import write_images, write_rows

CONFIG = load_config(preset="quickstart")


def test_the_faults_of_all_tables_are_told_at_once(tmp_path):
    one = write_rows(tmp_path / "one.csv", [("a.png", "q?", "")])
    other = write_rows(tmp_path / "other.csv", [], "picture,question,answer")
    with pytest.raises(DataError) as caught:
        audit_tables([one, other], [], CONFIG)
    for part in ("one.csv", "row 2", "other.csv"):
        assert part in str(caught.value)


def test_answers_missing_here_and_there_are_a_fault(tmp_path):
    first = write_rows(tmp_path / "t.csv", [("0.png", "q?", "x")])
    partly = write_rows(tmp_path / "p.csv", [("0.png", "q?", "x"), ("3.png", "q?", "")])
    with pytest.raises(DataError, match=r"p\.csv: blank answers(.|\n)*row 3"):
        audit_tables([first, partly], [], CONFIG)


def test_the_worst_findings_come_first_and_each_phase_is_told(tmp_path):
    images = write_images(tmp_path / "images", 3)
    first = write_rows(tmp_path / "t.csv", [(f"{i}.png", "q?", "x") for i in (0, 1, 1)])
    later = write_rows(tmp_path / "u.csv", [("1.png", "q?", "x"), ("no.png", "q?", "x")])
    phases = []
    found = audit_tables(
        [first, later], [images], CONFIG, lambda phase, done, total: phases.append(phase)
    )
    assert list(dict.fromkeys(phases)) == [
        *("reading", "vocabulary", "tables", "images", "comparing images"),
    ]
    levels = [finding.level for finding in found.findings]
    assert levels == sorted(levels, key=["critical", "warning", "info", "ok"].index)
    assert levels[0] == "critical"  # an image is missing
    assert [facts.priors["answers"] for facts in found.tables] == [1.0, 1.0]
    assert (found.images.images, found.images.missing) == (3, 1)
    assert gc.isenabled()


def test_folders_that_fit_no_table_are_refused(tmp_path):
    table = write_rows(tmp_path / "t.csv", [("0.png", "q?", "x")])
    with pytest.raises(ValueError, match="2 image folders for 1 tables"):
        audit_tables([table], [tmp_path, tmp_path], CONFIG)
    with pytest.raises(ValueError, match="0 image folders"):
        audit_tables([table], [], CONFIG, elsewhere=[tmp_path])
