"""The whole audit: tables, pairs, images and what is worth a warning."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from latentvqa.config import Config
from latentvqa.core.audit.rules import judge_images, judge_pairs, judge_tables
from latentvqa.core.audit.spellings import judge_spellings
from latentvqa.core.results.audit import AuditResult
from latentvqa.data.audit.blind import fit_to
from latentvqa.data.audit.images import FileFacts, image_facts, inspect_images
from latentvqa.data.audit.leaks import KnownImages
from latentvqa.data.audit.spellings import words_in_two_spellings
from latentvqa.data.audit.tables import has_answers, pair_facts, table_facts
from latentvqa.data.folders.search import images_below
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.data.tokenizer import train_tokenizers
from latentvqa.errors import DataError

Progress = Callable[[str, int, int], None]


def audit_tables(
    paths: Sequence[Path],
    images: Sequence[Path],
    config: Config,
    progress: Progress = lambda phase, done, total: None,
    *,
    elsewhere: Sequence[Path] = (),
) -> AuditResult:
    """Audit tables, the first of which is to be trained on.

    Args:
        paths: the tables; later ones may go without answers.
        images: folder of their images, or one for each; without any the files
            are not looked at.
        config: columns and text rules.
        progress: called with a phase, what is done and all; may raise to stop.
        elsewhere: folders of further images. Those of the later tables, or of a
            table that is alone, are sought in them.

    Raises:
        DataError: with the faults of all tables that cannot be read.
        ValueError: if the folders are neither one nor as many as the tables, or
            there are further images and none to seek in them.
    """
    if len(images) not in (0, 1, len(paths)) or (elsewhere and not images):
        raise ValueError(f"{len(images)} image folders for {len(paths)} tables")
    folders: list[Path | None] = [None] * len(paths)
    if images:
        folders = [*images] * (len(paths) if len(images) == 1 else 1)
    further = {folder: images_below(folder) for folder in elsewhere}
    with _without_collector():
        tables = _read_all(paths, folders, config, progress)
        progress("vocabulary", 0, 1)
        tokenizers = train_tokenizers(config.text, tables[0])
        facts, fitted = [], None
        for done, table in enumerate(tables):
            progress("tables", done, len(tables))
            text = config.text
            if done == 1 and any(map(has_answers, tables[1:])):
                fitted = fit_to(tables[0], tokenizers, text.max_answer_tokens, text.language)
            limits = text.max_question_tokens, text.max_answer_tokens
            facts.append(table_facts(table, tokenizers, *limits, fitted, text.language))
        progress("tables", len(tables), len(tables))
        named = [path for table in tables for path in table.image_paths]
        known, files = None, {}
        if images:
            files = _inspected(
                [*named, *(path for found in further.values() for path in found.paths)],
                config.data.max_pixels,
                progress,
            )
            progress("comparing images", 0, 1)
            known = KnownImages(files)
            progress("comparing images", 1, 1)
        pairs = [pair_facts(tables[0], other, known, config.text.language) for other in tables[1:]]
    spellings = words_in_two_spellings(tables, config.text.language)
    findings = [*judge_tables(facts), *judge_spellings(spellings), *judge_pairs(pairs)]
    found_images = None
    if known is not None:
        found_images = replace(
            known.within(image_facts(tables, {path: files[path] for path in named}), tables),
            folders=[
                known.against(table, folder, found)
                for table in tables[1:] or tables
                for folder, found in further.items()
            ],
        )
        findings += judge_images(found_images)
    severity = {"critical": 0, "warning": 1, "info": 2, "ok": 3}
    findings.sort(key=lambda finding: severity[finding.level])
    notes = [note for table in tables for note in table.notes]
    return AuditResult(facts, pairs, found_images, findings, notes)


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
    paths: Sequence[Path], folders: Sequence[Path | None], config: Config, progress: Progress
) -> list[QuestionTable]:
    tables, faults = [], []
    for done, (path, images) in enumerate(zip(paths, folders, strict=True)):
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


def _inspected(paths: Sequence[Path], max_pixels: int, progress: Progress) -> dict[Path, FileFacts]:
    """Facts of every file, each read once."""
    different = list(dict.fromkeys(paths))
    files = inspect_images(
        different, lambda done, total: progress("images", done, total), max_pixels=max_pixels
    )
    return dict(zip(different, files, strict=True))
