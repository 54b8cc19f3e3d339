"""How fast a gallery of answers is written, opened and searched.

    python -m tests.benchmarks.gallery [--rows 2000] [--images DIR] [--tries 5]

Writes a gallery whose rows have a picture each: those of a folder, turned by a few degrees
where it has fewer, else drawn ones of 448 x 448 pixels. Opens it in Chromium and prints
milliseconds to the first text, to the whole page, and from each act of a person to the frame
that shows what came of it; beside them those that the processor worked in the thread of the
page, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from latentvqa.report.gallery.writer import GalleryRow, GalleryWriter
from tests.browser import opened

QUESTIONS = ("is the left lung clear?", "where is the lesion?", "what is the modality?")
ANSWERS = ("yes", "no", "right lower lobe", "axial", "left temporal lobe")
PHOTOGRAPHS = (".jpg", ".jpeg", ".png", ".webp")
ENTER = "one = document.querySelector('{}'); one.value = '{}'; one.dispatchEvent(new Event('{}'))"
ACTS = {
    "search two words": ENTER.format("#words", "left clear", "input"),
    "search nothing": ENTER.format("#words", "", "input"),
    "wrong alone": "document.querySelector('[data-mark=wrong]').click()",
    "all again": "document.querySelector('[data-mark=all]').click()",
    "confidence below 50": ENTER.format("#below", 50, "input"),
    "any confidence": ENTER.format("#below", 101, "input"),
    "sort least sure": ENTER.format("#order", "least", "change"),
    "sort image name": ENTER.format("#order", "name", "change"),
    "open one": "document.querySelector('.placed button.picture').click()",
    "the next": "document.querySelector('#next').click()",
}
TIMED = """async () => {
  let one; const start = performance.now();
  %s;
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
OPENING = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const [text] = performance.getEntriesByName("first-contentful-paint");
  return {"text": text.startTime, "page": page.loadEventEnd};
}"""


def pictures(folder: Path | None, count: int) -> Iterator[Image.Image]:
    """Different pictures, one after the other."""
    paths = [] if folder is None else sorted(folder.rglob("*"))
    paths = [path for path in paths if path.suffix.lower() in PHOTOGRAPHS]
    for number in range(count):
        if not paths:
            yield drawn(number)
            continue
        with Image.open(paths[number % len(paths)]) as file:
            picture = file.convert("RGB")
        turn = number // len(paths)
        picture = ImageOps.mirror(picture) if turn % 2 else picture
        yield picture.rotate(turn) if turn else picture


def drawn(number: int) -> Image.Image:
    """Grey and soft, with grain: as large a file as a radiograph makes."""
    noise = np.random.default_rng(number)
    coarse = Image.fromarray(noise.integers(0, 255, (9, 9), dtype=np.uint8))
    smooth = coarse.resize((448, 448), Image.Resampling.BICUBIC)
    grain = Image.fromarray(noise.integers(0, 255, (448, 448), dtype=np.uint8))
    grain = grain.filter(ImageFilter.GaussianBlur(1.2))
    return Image.blend(smooth, grain, 0.16).convert("RGB")


def write(path: Path, folder: Path | None, count: int) -> float:
    """Write a gallery; returns the seconds that it took without the reading of pictures."""
    draws, spent = random.Random(1), 0.0
    with path.open("wb") as file:
        writer = GalleryWriter(file, title="Benchmark")
        for number, picture in enumerate(pictures(folder, count)):
            is_correct = draws.random() < 0.6
            row = GalleryRow(
                f"folder/{number}.jpg",
                draws.choice(QUESTIONS),
                draws.choice(ANSWERS),
                draws.random(),
                note="1 of 5 words unknown" if number % 20 == 0 else "",
                others=(("no", 0.1), ("left", 0.05)),
                reference="yes",
                is_correct=is_correct,
            )
            started = time.perf_counter()
            writer.add(row, picture)
            spent += time.perf_counter() - started
        writer.finish()
    return spent


def measured(address: str) -> dict[str, tuple[float, float]]:
    """Open a gallery and do what a person does.

    Returns:
        Milliseconds that each took, and those of the processor in the thread of the page.
    """
    with opened("about:blank") as page:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def busy() -> float:
            counted = session.send("Performance.getMetrics")["metrics"]
            return 1000 * next(one["value"] for one in counted if one["name"] == "TaskDuration")

        page.goto(address)
        page.wait_for_timeout(1000)
        start = page.evaluate(OPENING)
        found = {"first text": (start["text"], 0.0), "whole page": (start["page"], busy())}
        for name, act in ACTS.items():
            before = busy()
            found[name] = (page.evaluate(TIMED % act), busy() - before)
            page.wait_for_timeout(300)
        return found


def main() -> None:
    """Write, open, act, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--tries", type=int, default=5)
    asked = parser.parse_args()
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "gallery.html"
        seconds = write(path, asked.images, asked.rows)
        say(f"{asked.rows} rows: {path.stat().st_size / 1e6:.1f} MB, ")
        say(f"{1000 * seconds / asked.rows:.1f} ms each to write\n")
        tracemalloc.start()
        write(path, asked.images, asked.rows)
        say(f"peak of Python's memory {tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB\n")
        tracemalloc.stop()
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(asked.tries):
            for name, value in measured(path.as_uri()).items():
                found[name].append(value)
    say(f"{'':22}{'median':>8}{'fastest':>8}{'processor':>10}\n")
    for name, values in found.items():
        waited, busy = zip(*values, strict=True)
        say(f"{name:22}{statistics.median(waited):8.0f}{min(waited):8.0f}")
        say(f"{statistics.median(busy):10.0f}\n")


if __name__ == "__main__":
    main()
