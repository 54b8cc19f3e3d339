"""Where the runs of an ablation lie, what distinguishes them, and how far they are.

A run is known by a hash of its resolved configuration, so that plans which share
a folder share their equal runs. Everything is known from what is on disk.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from latentvqa.config import Ablation, Config, config_to_toml
from latentvqa.config.plans import OWN_BACKBONE
from latentvqa.config.resolving import resolve
from latentvqa.core.ablation import RunState
from latentvqa.core.summed_text import has_right_sum, with_sum
from latentvqa.durable import replace_file
from latentvqa.engine.runs.evaluations import evaluation_folder
from latentvqa.engine.runtime.file_lock import is_locked
from latentvqa.regular_files import read_regular

SCENES_TABLE = "questions.csv"
_KEY_LETTERS = 12
_ENDING_KEYS = {"exit_code", "message", "kind", "sum"}


@dataclass(frozen=True)
class Ending:
    """How the process of a run ended.

    Attributes:
        exit_code: of the command; negative for a signal.
        message: its error; empty where there was none.
        kind: name of the error's class, as DataError; empty where none was caught.
    """

    exit_code: int
    message: str = ""
    kind: str = ""


@dataclass(frozen=True)
class RunPlace:
    """A run of an ablation: what it is made from, and where it lies.

    Attributes:
        number: its place in the plan, from 0; -1 for the plan's own backbone.
        arm: arm that it belongs to.
        seed: its seed.
        config: resolved as far as that needs no data; scenes are not made yet,
            and the plan's own backbone stands by its key.
        root: the ablation folder.
    """

    number: int
    arm: str
    seed: int
    config: Config
    root: Path

    @property
    def key(self) -> str:
        """Distinguishes runs."""
        return _digest(config_to_toml(self.config))

    @property
    def folder(self) -> Path:
        """The run folder, as ``train`` writes it."""
        return self.root / "runs" / self.key

    @property
    def config_file(self) -> Path:
        """What ``train`` is started with."""
        return self.folder.with_suffix(".toml")

    @property
    def output_file(self) -> Path:
        """What its processes printed."""
        return self.folder.with_suffix(".log")

    @property
    def lock_file(self) -> Path:
        """Held while it is trained."""
        return self.folder.with_suffix(".lock")

    @property
    def ending_file(self) -> Path:
        """How its process ended, written by that process or by who waited for it."""
        return self.folder.with_suffix(".json")

    @property
    def evaluation(self) -> Path:
        """Folder of what its best checkpoint answered."""
        return evaluation_folder(self.folder)

    @property
    def name(self) -> str:
        """For people."""
        return f"[{self.number}] {self.arm}, seed {self.seed}" if self.number >= 0 else self.arm

    def state(self) -> RunState:
        """Where the run stands."""
        if is_locked(self.lock_file):
            return "running"
        return self.settled_state()

    def settled_state(self) -> RunState:
        """The same for who holds its lock."""
        ending = self.ending()
        if ending is None:
            return "interrupted" if self.folder.is_dir() else "waiting"
        if ending.exit_code != 0:
            return "failed"
        return "finished" if (self.evaluation / "predictions.csv").is_file() else "interrupted"

    def ending(self) -> Ending | None:
        """How it ended; None where it has not."""
        return read_ending(self.ending_file)

    def write_ending(self, ending: Ending) -> None:
        """Remember how it ended."""
        write_ending(self.ending_file, ending)

    def forget_ending(self) -> None:
        """Make a failed run an interrupted one."""
        self.ending_file.unlink(missing_ok=True)


def read_ending(path: Path) -> Ending | None:
    """How a run ended; None where that is not written down, or damaged: it is then asked anew."""
    try:
        content = read_regular(path)
        values = json.loads(content)
        if has_right_sum(content) is False or not values.keys() <= _ENDING_KEYS:
            return None
        return Ending(**{name: value for name, value in values.items() if name != "sum"})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write_ending(path: Path, ending: Ending) -> None:
    """Write how a run ended, as one JSON object with its sum."""
    replace_file(path, with_sum(json.dumps(asdict(ending), ensure_ascii=False).encode()))


def places_of(ablation: Ablation, root: Path) -> list[RunPlace]:
    """The runs of a plan: all arms with the first seed, then with the next."""
    backbone = backbone_place(ablation, root)
    arms = {name: _with_backbone(config, backbone) for name, config in ablation.arms.items()}
    pairs = [(seed, arm) for seed in ablation.seeds for arm in arms]
    return [
        RunPlace(number, arm, seed, resolve(arms[arm].replace("run", seed=seed)), root)
        for number, (seed, arm) in enumerate(pairs)
    ]


def backbone_place(ablation: Ablation, root: Path) -> RunPlace | None:
    """The run whose backbone the arms start from, if the plan has one."""
    if ablation.backbone is None:
        return None
    config = resolve(ablation.backbone)
    return RunPlace(-1, "backbone", config.run.seed, config, root)


def backbone_file(place: RunPlace) -> Path:
    """Weights of a backbone, relative to the ablation folder."""
    return Path("backbones", f"{place.key}.safetensors")


def scenes_folder(config: Config) -> Path | None:
    """Folder of the scenes of a configuration, relative to the ablation folder."""
    data = config.data
    if data.scenes is None or data.train is not None:
        return None
    asked = data.model_dump(mode="json", include=_SCENE_KEYS)
    return Path("data", _digest(json.dumps(asked, sort_keys=True)))


_SCENE_KEYS = {"scenes", "scene_images", "scene_questions", "scene_families", "scene_seed"}


def runnable(place: RunPlace) -> Config:
    """The configuration with the paths of what the ablation folder holds for it."""
    config, root = place.config, place.root.resolve()
    if config.loader.feature_folder is None:
        config = config.replace("loader", feature_folder=root / "features")
    scenes = scenes_folder(config)
    if scenes is not None:
        table = root / scenes / SCENES_TABLE
        config = config.replace("data", train=table, images=root / scenes / "images")
    pretrained = config.vision.pretrained
    if isinstance(pretrained, Path) and not pretrained.is_absolute():
        config = config.replace("vision", pretrained=root / pretrained)
    return config


def planned_epochs(config: Config) -> int:
    """Epochs of all stages."""
    stages = config.stages
    return stages.baseline + stages.warmup + stages.full


def _with_backbone(config: Config, backbone: RunPlace | None) -> Config:
    if backbone is None or config.vision.pretrained != OWN_BACKBONE:
        return config
    return config.replace("vision", pretrained=backbone_file(backbone))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LETTERS]
