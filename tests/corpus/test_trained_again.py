"""The verdicts that matter most, on models trained here and now."""

import pytest

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.history import read_history
from tests.corpus.faulty_runs import faulty_run

pytestmark = pytest.mark.heavy


# a thousandfold weight throws the KL below free_bits, where nothing holds it any more: what
# is said of it depends on how much the few images teach, and is never a collapse
KEPT = ("pinned", "penalty_inactive", "contradictory_targets", "image_not_used")


@pytest.mark.parametrize(
    ("name", "verdicts"),
    [
        ("free-bits-zero-weight-thousandfold", ("collapse",)),
        ("bypass", ("leak",)),
        ("free-bits-weight-thousandfold", KEPT),
    ],
)
def test_a_model_trained_now_gets_the_verdict_of_its_fault(name, verdicts, tmp_path_factory):
    log = read_history(faulty_run(name, tmp_path_factory.getbasetemp()))
    found = diagnose(log.header, log.records)
    assert found.verdict.code in verdicts
    assert ("collapse" in verdicts) == any(f.name == "collapse" for f in found.open_findings)
