"""The whole audit: tables, pairs, images and what is worth a warning."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from latentvqa.config import Config
from latentvqa.core.audit.rules import judge_images, judge_pairs, judge_tables
from latentvqa.core.results.audit import AuditResult
from latentvqa.data.audit.images import FileFacts, image_facts, inspect_images
from latentvqa.data.audit.tables import has_answers, pair_facts, table_facts
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.errors import DataError

Progress = Callable[[str, int, int], None]


def audit_tables(
    paths: Sequence[Path],
    images: Path | None,
    config: Config,
    progress: Progress = lambda phase, done, total: None,
) -> AuditResult:
    """Audit tables, the first of which is to be trained on.

    Args:
        paths: the tables; later ones may go without answers.
        images: folder of their images; without it the files are not looked at.
        config: columns and text rules.
        progress: called with a phase, what is done and all; may raise to stop.

    Raises:
        DataError: with the faults of all tables that cannot be read.
    """
    with _without_collector():
        tables = _read_all(paths, images, config, progress)
        progress("vocabulary", 0, 1)
        tokenizers = train_tokenizers(config.text, tables[0])
        facts = []
        for done, table in enumerate(tables):
            progress("tables", done, len(tables))
            text = config.text
            facts.append(
                table_facts(table, tokenizers, text.max_question_tokens, text.max_answer_tokens)
            )
        progress("tables", len(tables), len(tables))
        files = {} if images is None else _inspected(tables, progress)
        pairs = [
            pair_facts(tables[0], other, _hashes(tables[0], files), _hashes(other, files))
            for other in tables[1:]
        ]
    findings = [*judge_tables(facts), *judge_pairs(pairs)]
    found_images = None
    if images is not None:
        found_images = image_facts(tables, files)
        findings += judge_images(found_images)
    severity = {"critical": 0, "warning": 1, "info": 2, "ok": 3}
    findings.sort(key=lambda finding: severity[finding.level])
    return AuditResult(facts, pairs, found_images, findings)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Spare millions of texts, none of them in a cycle, the search for cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_all(
    paths: Sequence[Path], images: Path | None, config: Config, progress: Progress
) -> list[QuestionTable]:
    tables, faults = [], []
    for done, path in enumerate(paths):
        progress("reading", done, len(paths))
        try:
            tables.append(_read(path, images, config, require_answers=done == 0))
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("\n".join(faults))
    return tables


def _read(
    path: Path, images: Path | None, config: Config, *, require_answers: bool
) -> QuestionTable:
    table = read_questions(
        path,
        columns=config.data.columns,
        images=images,
        allow_outside=config.data.allow_outside,
        needs_images=False,
        require_answers=require_answers,
    )
    if any(table.answers) and not has_answers(table):  # some are blank: that is a fault
        return _read(path, images, config, require_answers=True)
    return table


def _inspected(tables: Sequence[QuestionTable], progress: Progress) -> dict[str, FileFacts]:
    """Facts of every image file, by its name."""
    path_of = {
        name: path
        for table in tables
        for name, path in zip(table.image_names, table.image_paths, strict=True)
    }
    files = inspect_images(
        list(path_of.values()), lambda done, total: progress("images", done, total)
    )
    return dict(zip(path_of, files, strict=True))


def _hashes(table: QuestionTable, files: Mapping[str, FileFacts]) -> dict[str, str]:
    """SHA-256 of a table's images, by name, where they could be read."""
    known = {name: files[name].sha256 for name in table.image_names if name in files}
    return {name: digest for name, digest in known.items() if digest is not None}
