"""What an ablation found: arms, their spread over seeds, and one word for each.

Plain values and the rule of the word; the numbers are measured elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from latentvqa.core.estimates import Estimate

RunState = Literal["finished", "failed", "running", "interrupted", "waiting"]
Word = Literal["better", "worse", "no difference shown"]

# measures of a run, in the order of tables and files
MEASURES = (
    "exact_match",
    "answer_loss",
    "kl_raw",
    "rate",
    "penalty_reduction",
    "exact_match_latents_shuffled",
    "epochs",
    "seconds",
)
# those that arms are compared by; the first decides the word
COMPARED = ("exact_match", "answer_loss")
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class RunResult:
    """One run of an ablation.

    Attributes:
        arm: what it belongs to.
        seed: its seed.
        key: name of its folder.
        state: where it stands.
        message: why it failed; empty otherwise.
        measures: by name, for a finished run; what its model does not have is
            absent.
    """

    arm: str
    seed: int
    key: str
    state: RunState
    message: str = ""
    measures: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Comparison:
    """An arm against the default, on the seeds that both have finished.

    Attributes:
        over_seeds: mean paired difference by measure; its 95 % interval is that
            of the paired t test over seeds, absent with one seed.
        over_images: mean difference of exact match over the rows of all seeds;
            its 95 % interval comes from a paired bootstrap over images. Absent
            where the runs did not answer the same rows.
        p_value: of no difference of exact match, over seeds, or over images with
            one seed; None where neither has an interval.
        p_holm: the same corrected for all arms that were compared (Holm 1979).
    """

    over_seeds: Mapping[str, Estimate]
    over_images: Estimate | None
    p_value: float | None = None
    p_holm: float | None = None

    @property
    def word(self) -> Word:
        """Better or worse where every interval of exact match leaves 0 out on one side.

        With several arms the corrected p-value must be below 5 % as well, since of
        many arms without effect one looks like an effect by chance. With one seed
        the interval over images stands alone, and says nothing of other seeds.
        """
        over_seeds = self.over_seeds["exact_match"]
        judged = [self.over_images] if self.over_images is not None else []
        if over_seeds.n > 1:
            judged.append(over_seeds)
        if self.p_holm is not None and self.p_holm >= SIGNIFICANCE:
            return "no difference shown"
        signs = {estimate.sign for estimate in judged}
        if signs == {1}:
            return "better"
        return "worse" if signs == {-1} else "no difference shown"


@dataclass(frozen=True)
class ArmResult:
    """One arm.

    Attributes:
        name: as the plan calls it.
        changes: what it changes, by dotted key.
        spreads: mean of each measure over the finished seeds, with the lowest
            and the highest; a measure that the model does not have is absent.
        comparison: against the default; None for the default itself, and where
            no seed is finished in both.
    """

    name: str
    changes: Mapping[str, object]
    spreads: Mapping[str, Estimate]
    comparison: Comparison | None


@dataclass(frozen=True)
class AblationResult:
    """All that is on disk of an ablation.

    Attributes:
        name: of the plan.
        description: what it asks.
        default: arm that the others are compared with.
        seeds: as planned.
        arms: in the order of the plan.
        runs: in the order of the plan, finished or not.
        notes: what the reader should know.
        smallest_detectable: difference of exact match, as a share, that a t test
            over as many seeds shows in four of five repetitions, at the spread that
            the arms have; None with one seed or without spread.
    """

    name: str
    description: str
    default: str
    seeds: Sequence[int]
    arms: Sequence[ArmResult]
    runs: Sequence[RunResult]
    notes: Sequence[str] = ()
    smallest_detectable: float | None = None

    def in_state(self, *states: RunState) -> list[RunResult]:
        """Runs that are in one of these states."""
        return [run for run in self.runs if run.state in states]
