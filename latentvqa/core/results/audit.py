"""What an audit of question tables found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentvqa.core.audit.facts import ImageFacts, PairFacts, TableFacts
from latentvqa.core.audit.rules import AuditFinding


@dataclass(frozen=True)
class AuditResult:
    """Facts and findings.

    Attributes:
        tables: in the order given; the first is trained on.
        pairs: every later table against the first.
        images: of the files of all tables; None where no folder was given.
        findings: the most severe first.
        notes: what was changed in reading, as sentences.
    """

    tables: Sequence[TableFacts]
    pairs: Sequence[PairFacts]
    images: ImageFacts | None
    findings: Sequence[AuditFinding]
    notes: Sequence[str] = ()
