"""What happens in a run as plain lines, for the output file of its process."""

from __future__ import annotations

from collections.abc import Sequence

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.records import EpochRecord, RunHeader
from latentvqa.engine.evaluation.evaluate import Evaluation
from latentvqa.engine.runtime.observer import Observer, TrainingPlan
from latentvqa.report.diagnosis.tables import epoch_line, epoch_table, verdict_panel
from latentvqa.report.evaluation.scores import score_panel
from latentvqa.report.text import escaped, plain

_WIDTH = 80


class LinePrinter(Observer):
    """Prints notices, epochs and results at once, progress never."""

    def notice(self, text: str) -> None:
        """Print a notice, control characters escaped."""
        print(escaped(text), flush=True)

    def planned(self, plan: TrainingPlan) -> None:
        """Say in one line what begins."""
        self.notice(plan.summary())
        if plan.free_bits_origin:
            self.notice(f"free_bits auto: {plan.free_bits_origin}")

    def epoch(
        self, header: RunHeader, records: Sequence[EpochRecord], diagnosis: Diagnosis
    ) -> None:
        """Print the new epoch as a line."""
        self.notice(epoch_line(header, records[-1], diagnosis))

    def trained(self, header: RunHeader, records: Sequence[EpochRecord]) -> None:
        """Print all epochs."""
        self.notice(plain(epoch_table(header, records, _WIDTH), _WIDTH))

    def evaluated(self, evaluation: Evaluation) -> None:
        """Print the scores."""
        self.notice(plain(score_panel(evaluation.result, _WIDTH, says_verdict=False), _WIDTH))

    def judged(self, diagnosis: Diagnosis) -> None:
        """Print the verdict."""
        self.notice(plain(verdict_panel(diagnosis), _WIDTH))
