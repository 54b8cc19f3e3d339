import json
from dataclasses import replace

import pytest
from pydantic import TypeAdapter
from rich.console import Console

from latentvqa.core.audit.facts import BadImage, Rows, TopAnswer
from latentvqa.core.audit.rules import judge_images
from latentvqa.core.results.audit import AuditResult
from latentvqa.report.audit import audit_json, audit_panel
from tests.core.audit.test_rules import IMAGES, PAIR, TABLE

SOUND = AuditResult([TABLE], [], None, [])
FULL = AuditResult(
    [TABLE, replace(TABLE, name="v.csv")],
    [replace(PAIR, leaked_paths=Rows(0.25, (2, 5)), unseen_answers=Rows(0.1, (3,)))],
    replace(IMAGES, missing=1, first_faults=[BadImage("x/no.png", "no such file", "t.csv", 7)]),
    judge_images(replace(IMAGES, missing=1)),
)


def rendered(found, width=80):
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(audit_panel(found))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_a_sound_table_is_shown_whole():
    assert (
        rendered(SOUND)
        == """\
t.csv
questions          1,000 on 100 images
different answers  10
repeated rows      0 %
contradicted rows  0 %
without images     30 % with the most frequent answer
without images     50 % with one answer per question text
cut                0 % of the questions, 0 % of the answers
unknown words      0 % of those in the questions

  type     questions   most frequent answer   share
 ───────────────────────────────────────────────────
  colour         500   red                     30 %

Images: not checked; name their folder with --images DIR.

Nothing to warn of."""
    )


def test_pairs_images_faults_and_findings_are_shown():
    text = " ".join(rendered(FULL).split())
    for shown in (
        "v.csv against t.csv",
        "images in both 25 % of the rows, by name",
        "answers seen in training 90 % of the rows: no exact match above it",
        "t.csv row 7: x/no.png: no such file",
        "critical DA010",
    ):
        assert shown in text
    assert "Nothing to warn of." not in text


def test_what_was_not_read_is_said_with_the_option_that_reads_it():
    pair = replace(PAIR, copied_contents=None, unseen_answers=None)
    text = rendered(replace(SOUND, pairs=[pair]))
    assert "not checked: needs --images" in text
    assert "answers seen in training" not in text
    assert "name their folder with --images DIR" in text


def test_a_table_without_answers_has_no_answer_figures():
    text = rendered(replace(SOUND, tables=[replace(TABLE, answers=0, top_answers={}, priors={})]))
    assert "no answers" in text
    assert "of the answers" not in text and "most frequent answer" not in text


def test_the_largest_types_are_shown_and_the_rest_counted():
    tops = {f"type {n}": TopAnswer(100 + n, "yes", 0.5) for n in range(15)}
    lines = rendered(replace(SOUND, tables=[replace(TABLE, top_answers=tops)])).splitlines()
    shown = [line.split()[1] for line in lines if line.startswith("  type ") and "yes" in line]
    assert shown == [str(n) for n in range(14, 2, -1)]
    assert any("and 3 more" in line for line in lines)


@pytest.mark.parametrize("found", [SOUND, FULL])
def test_the_json_reads_back_as_the_same_values(found):
    written = json.loads(json.dumps(audit_json(found), allow_nan=False))
    assert written.pop("schema") == 1
    back = TypeAdapter(AuditResult).validate_python(written)
    assert rendered(back) == rendered(found)
