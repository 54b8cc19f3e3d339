"""Runs the runs of an ablation one after the other, each once, whoever else works on them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from latentvqa.config import Ablation, config_to_toml
from latentvqa.data.scenes.writing import make_scenes
from latentvqa.durable import replace_file
from latentvqa.engine.ablation.process import train_in_process
from latentvqa.engine.ablation.results import outcome_of
from latentvqa.engine.ablation.runs import (
    SCENES_TABLE,
    RunPlace,
    backbone_file,
    backbone_place,
    places_of,
    runnable,
    scenes_folder,
)
from latentvqa.engine.runs.loading import export_backbone
from latentvqa.engine.runtime.file_lock import held_lock
from latentvqa.engine.runtime.observer import Observer
from latentvqa.errors import CheckpointError
from latentvqa.stopping import deferred, poll

_ENDED = ("finished", "failed")


def run_ablation(
    ablation: Ablation,
    root: Path,
    observer: Observer,
    *,
    only: int | None = None,
    retry_failed: bool = False,
) -> None:
    """Bring the runs of a plan to their end; those that ended are left alone.

    A run that another process trains is left to it until nothing else is to be
    done, then waited for. A failed run does not stop the others.

    Args:
        ablation: the plan.
        root: the ablation folder; made if missing.
        observer: receives progress and notices.
        only: number of the only run to bring to its end.
        retry_failed: take up failed runs again.

    Raises:
        Interrupted: at a signal, after the run at work has saved.
        CheckpointError: if the plan's own backbone cannot be trained.
    """
    places = places_of(ablation, root)
    wanted = [place for place in places if only in (None, place.number)]
    with deferred():
        schedule = _Schedule(root, observer)
        pending = schedule.pending(wanted, retry_failed=retry_failed)
        if pending:
            schedule.make_backbone(backbone_place(ablation, root), retry_failed=retry_failed)
        is_alone = len(pending) == 1
        busy = [one for one in pending if not schedule.bring_to_end(one, is_waiting=is_alone)]
        for place in busy:
            schedule.bring_to_end(place, is_waiting=True)


class _Schedule:
    """What the runs of one call have in common."""

    def __init__(self, root: Path, observer: Observer) -> None:
        self.root, self.observer = root, observer
        for name in ("runs", "data", "backbones"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def pending(self, places: Sequence[RunPlace], *, retry_failed: bool) -> list[RunPlace]:
        """Runs that have not ended, equal ones once."""
        once: dict[str, RunPlace] = {}
        for place in places:
            once.setdefault(place.key, place)
        pending, finished = [], 0
        for place in once.values():
            state = place.state()
            if state == "finished":
                finished += 1
                continue
            if state == "failed" and not retry_failed:
                self.observer.notice(
                    f"{place.name}: {outcome_of(place)}; --retry-failed tries it again"
                )
                continue
            if state == "failed":
                place.forget_ending()
            pending.append(place)
        if finished:
            self.observer.notice(f"finished before: {finished} of {len(once)}")
        return pending

    def bring_to_end(self, place: RunPlace, *, is_waiting: bool) -> bool:
        """Train a run to its end; False where another process is at it."""
        poll()
        name = place.name

        def on_wait(holder: str) -> None:
            self.observer.notice(f"{name}: {holder} trains it; waiting for its end")
            self.observer.progress(f"{name}, waiting", 0, 1)

        with self._lock(place.lock_file, on_wait if is_waiting else None) as lock:
            if lock is None:
                self.observer.notice(f"{name}: another process trains it; going on with the next")
                return False
            if place.settled_state() in _ENDED:  # meanwhile
                self.observer.notice(f"{name}: {outcome_of(place)}")
                return True
            self._make_scenes(place)
            replace_file(place.config_file, config_to_toml(runnable(place)).encode())
            self.observer.notice(f"{name}: {_verb(place)}, output in {place.output_file}")
            place.write_ending(
                train_in_process(
                    place,
                    lock,
                    lambda done, planned: self.observer.progress(f"{name}, epochs", done, planned),
                )
            )
            self.observer.notice(f"{name}: {outcome_of(place)}")
        return True

    def make_backbone(self, place: RunPlace | None, *, retry_failed: bool) -> None:
        """Train what every arm starts from, and write its weights.

        Raises:
            CheckpointError: if its training failed.
        """
        if place is None or (self.root / backbone_file(place)).is_file():
            return
        if retry_failed and place.state() == "failed":
            place.forget_ending()
        self.bring_to_end(place, is_waiting=True)
        ending = place.ending()
        if ending is None or ending.exit_code != 0:
            why = "" if ending is None else ending.message
            raise CheckpointError(
                f"the backbone that every arm starts from cannot be trained: {why}\n"
                f"Its output is in {place.output_file}; --retry-failed tries again."
            )
        export_backbone(place.folder, self.root / backbone_file(place))

    def _make_scenes(self, place: RunPlace) -> None:
        """Generate the scenes of a run where the folder does not hold them yet."""
        name = scenes_folder(place.config)
        if name is None or (self.root / name / SCENES_TABLE).is_file():
            return
        folder, data = self.root / name, place.config.data

        def on_wait(holder: str) -> None:
            self.observer.notice(f"{holder} makes the scenes; waiting for them")

        with self._lock(folder.with_suffix(".lock"), on_wait):
            if (folder / SCENES_TABLE).is_file() or data.scenes is None:
                return
            shutil.rmtree(folder, ignore_errors=True)  # of a process that was killed
            make_scenes(
                folder,
                images=data.scene_images,
                seed=data.scene_seed,
                level=data.scenes,
                questions_per_image=data.scene_questions,
                families=data.scene_families,
                progress=self._on_scene,
            )

    def _on_scene(self, done: int, total: int) -> None:
        self.observer.progress("scenes", done, total)
        poll()

    def _lock(
        self, path: Path, on_wait: Callable[[str], None] | None
    ) -> AbstractContextManager[int | None]:
        return held_lock(path, on_wait, poll)


def _verb(place: RunPlace) -> str:
    return "resumed" if (place.folder / "last").is_file() else "begins"
