"""``latentvqa.diagnose``: the verdict on a run or a log, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentvqa.core.diagnosis.diagnose import Diagnosis
from latentvqa.core.diagnosis.diagnose import diagnose as diagnose_records
from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds
from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.core.records import EpochRecord, KLConvention, RunHeader
from latentvqa.engine.runs.latent_use import latent_use_of_log
from latentvqa.history import History
from latentvqa.logs import log_options
from latentvqa.logs import read_log as read_any_log


def read_log(
    log: Path | str,
    *,
    maps: Sequence[str] = (),
    steps_per_epoch: int | None = None,
    pattern: str | None = None,
    overrides: Sequence[str] = (),
) -> History:
    """Read a log of LatentVQA or of another tool.

    Args:
        log: a run folder, a log file, or a folder that another tool logged to.
        maps: ``FIELD=COLUMN``, as ``kl_raw=train/kl``, where names are not known.
        steps_per_epoch: turns steps into epochs where the log has none.
        pattern: name of the pattern of a plain-text log.
        overrides: what the log does not say, as ``kl.free_bits=0.1``.

    Returns:
        The header as far as it is known, the epochs, and what was assumed.

    Raises:
        HistoryError: if there is no log or nothing in it is usable.
        ConfigError: with every fault of the options.
    """
    options, thresholds = log_options(
        maps=maps, steps_per_epoch=steps_per_epoch, pattern=pattern, overrides=overrides
    )
    resolved_thresholds({}, thresholds)  # refuses what is neither
    return read_any_log(Path(log), options)


def diagnose(
    log: Path | str | History | Sequence[EpochRecord],
    *,
    header: RunHeader | None = None,
    overrides: Sequence[str] = (),
) -> Diagnosis:
    """Say whether the latent of a run works, and why.

    Of a run folder, the latent-use test that its evaluation holds is part of the
    verdict.

    Example:
        >>> latentvqa.diagnose("runs/quickstart").verdict.sentence  # doctest: +SKIP

    Args:
        log: a run folder, a log of any kind that is read, what ``read_log`` gave,
            or epochs.
        header: what epochs were made with; only with epochs, and assumed where it
            is missing.
        overrides: thresholds as ``kl_health.KEY=VALUE``; for a path also what the
            log does not say, as ``kl.free_bits=0.1``.

    Returns:
        Verdict, findings with their advice, and what could not be judged.

    Raises:
        HistoryError: if the log cannot be read.
        ConfigError: with every fault of the overrides.
    """
    notes: tuple[str, ...] = ()
    test: LatentUseVerdict | None = None
    if isinstance(log, (str, Path)):
        options, overrides = log_options(overrides=overrides)
        log = read_any_log(Path(log), options)
    if isinstance(log, History):
        test, lost = latent_use_of_log(log)
        header, notes, log = log.header, (*log.notes, *lost), log.records
    header = header or RunHeader(kl=KLConvention(is_assumed=True))
    thresholds, remarks = resolved_thresholds(header.thresholds, overrides)
    return diagnose_records(header, log, thresholds, (*notes, *remarks), test)
