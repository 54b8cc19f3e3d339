"""What the tools hold of a run, read back with their own readers in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# W&B has no reader in Python any more: the frames of its file are those of LevelDB's log
_READ = """
import json, logging, sys
from pathlib import Path
run, tool = Path(sys.argv[1]), sys.argv[2]
epochs, samples, scores, config, words = [], [], {}, "", ""
if tool == "tensorboard":
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    held = EventAccumulator(str(run / tool), size_guidance={"scalars": 0, "tensors": 0})
    held.Reload()
    text = lambda tag: [
        (one.step, make_ndarray(one.tensor_proto).item().decode())
        for one in held.Tensors(f"{tag}/text_summary")
    ]
    rows = {}
    for tag in held.Tags()["scalars"]:
        for one in held.Scalars(tag):
            rows.setdefault(one.step, []).append([tag, one.value])
    epochs = [[step, tags] for step, tags in sorted(rows.items())]
    samples = text("samples")
    [(_, table)] = text("evaluation")
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    scores = {name.replace("\\\\", ""): float(value) for name, value in cells}
    [(_, config)] = text("config")
    words = text("verdict")[-1][1]
elif tool == "trackio":
    from trackio.sqlite_storage import SQLiteStorage
    [project] = SQLiteStorage.get_projects()
    [record] = SQLiteStorage.get_run_records(project)
    for row in SQLiteStorage.get_logs(project, record["name"]):
        step = row.pop("step"); row.pop("timestamp")
        if "samples" in row:
            samples.append([step, json.dumps(row["samples"])])
        elif "verdict/level" in row:
            epochs.append([step, list(row.items())])
        else:
            words = json.dumps(row.pop("verdict"))
            scores = row
    config = json.dumps(SQLiteStorage.get_run_config(project, record["name"]))
else:
    from wandb.proto import wandb_internal_pb2
    config, ids = {}, set()
    for path in sorted(run.glob("wandb/offline-run-*/*.wandb")):
        content, place, frames, whole = path.read_bytes(), 7, [], b""
        while place + 7 <= len(content):
            if 32768 - place % 32768 < 7:
                place += 32768 - place % 32768
            size, kind = int.from_bytes(content[place + 4:place + 6], "little"), content[place + 6]
            whole += content[place + 7:place + 7 + size]
            place += 7 + size
            if kind in (1, 4):
                frames.append(whole); whole = b""
        for frame in frames:
            record = wandb_internal_pb2.Record(); record.ParseFromString(frame)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                ids.add(record.run.run_id)
                config |= {one.key: one.value_json for one in record.run.config.update}
            if kind == "summary":
                for one in record.summary.update:
                    name = one.key or "/".join(one.nested_key)
                    scores[name] = json.loads(one.value_json)
            if kind == "history":
                values = {}
                for one in record.history.item:
                    values[one.key or "/".join(one.nested_key)] = json.loads(one.value_json)
                step = record.history.step.num
                told = values.pop("samples", {}).get("path") or values.get("samples/path")
                if told:
                    samples.append([step, (path.parent / "files" / told).read_text()])
                epochs.append([step, [item for item in values.items()
                                      if isinstance(item[1], (int, float))
                                      and not item[0].startswith(("_", "samples"))]])
    assert len(ids) == 1, ids
    words = scores["verdict/sentence"]
    scores = {k: v for k, v in scores.items() if k.startswith("evaluation/")}
    config = json.dumps(config)
print("HELD" + json.dumps([epochs, samples, scores, config, words]))
"""


@dataclass(frozen=True)
class Held:
    """What a tool holds: numbers by step and name, and texts as the tool has them."""

    epochs: list[tuple[int, dict[str, float]]]
    samples: list[tuple[int, str]]
    scores: dict[str, float]
    config: str
    verdict: str


@cache
def held_by(tool: str, run: Path) -> Held:
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(run), tool],
        env={**os.environ, "TRACKIO_DIR": str(run / "trackio")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("HELD")]
    epochs, samples, scores, config, verdict = json.loads(line.removeprefix("HELD"))
    numbers = [(step, dict(values)) for step, values in epochs]
    return Held(numbers, [tuple(one) for one in samples], scores, config, verdict)
