"""One step with a language model of 400 million parameters, untrained: does memory hold it?

    python -m tests.benchmarks.large_language

writes a model of the shape of BARTpho-large (mBART, 12 + 12 layers of width 1024, 40,030
words), reads questions with its frozen encoder, writes answers with its decoder, which
matrices of a low rank train, and prints the plan and the most memory that was held.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from latentvqa.cli.plan_lines import plan_lines
from latentvqa.engine.runtime.observer import Observer, TrainingPlan
from latentvqa.engine.training.start import train
from tests.language_models import write_language_model
from tests.small_runs import small_config

_LAYERS = {f"{side}_layers": 12 for side in ("encoder", "decoder")}
_HEADS = {f"{side}_attention_heads": 16 for side in ("encoder", "decoder")}
_WIDTHS = {f"{side}_ffn_dim": 4096 for side in ("encoder", "decoder")}
SHAPE = {"d_model": 1024, "vocab_size": 40_030, **_LAYERS, **_HEADS, **_WIDTHS}
# a single step
_CHANGES = (
    "data.scene_images=10",
    "stages.warmup=1",
    "stages.full=0",
    "loader.batch_size=4096",
    "loader.micro_batch_size=32",
    "loader.questions_per_image=100",
    "text.lora_rank=8",
)


class _Listener(Observer):
    def planned(self, plan: TrainingPlan) -> None:
        sys.stdout.write("\n".join(plan_lines(plan, 0.0)) + "\n")


def main() -> None:
    """Write, train, print."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_language_model("mbart", Path(scratch) / "model", **SHAPE)
        parts = (f"text.encoder={folder}", f"text.decoder={folder}")
        start = time.perf_counter()
        done = train(small_config(*_CHANGES, *parts), Path(scratch) / "run", _Listener())
        seconds = time.perf_counter() - start
        saved = sum(file.stat().st_size for file in Path(scratch).rglob("run/**/*"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(
        f"{done.records[0].steps} step in {seconds:.0f} s, at most {peak / 1e9:.1f} GB of memory; "
        f"the run folder takes {saved / 1e9:.1f} GB\n"
    )


if __name__ == "__main__":
    main()
