"""Photograph-like data: ``python -m tests.benchmarks.textured_photos FOLDER``.

4,000 JPEG files of five sizes and many qualities, blurred noise and gradients
behind two objects each, and 16,000 questions in English and Vietnamese with
1,392 different answers of up to five words. The same bytes for the same
libraries. A stand-in for photographs, which are not shipped: it asks whether the
defaults cope with mixed sizes, lossy files and many long answers.
"""

from __future__ import annotations

import csv
import math
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

COLOURS = {
    "red": ((200, 40, 40), "đỏ"),
    "green": ((40, 150, 60), "xanh lá"),
    "blue": ((50, 70, 200), "xanh dương"),
    "yellow": ((230, 210, 50), "vàng"),
    "white": ((240, 240, 240), "trắng"),
    "black": ((25, 25, 25), "đen"),
    "purple": ((130, 50, 160), "tím"),
    "orange": ((240, 140, 30), "cam"),
}
SHAPES = ["disc", "box", "star", "cross", "ring"]
SIZES = [(320, 240), (240, 320), (400, 300), (256, 256), (500, 375)]
IMAGES, SEED = 4000, 5

Object = tuple[str, str, str]


def background(width: int, height: int, draws: random.Random, noise: np.random.Generator):
    cell = draws.choice([4, 8, 16]) * 4
    shape = (max(2, height // cell), max(2, width // cell), 3)
    coarse = noise.integers(60, 200, shape).astype("uint8")
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    smooth = smooth.filter(ImageFilter.GaussianBlur(draws.random() * 3))
    grain = noise.normal(0, 12, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(smooth) + grain, 0, 255).astype("uint8"))


def draw(pen: ImageDraw.ImageDraw, shape: str, x: int, y: int, r: int, fill) -> None:
    if shape == "disc":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    elif shape == "box":
        pen.rectangle((x - r, y - r, x + r, y + r), fill=fill)
    elif shape == "ring":
        pen.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=max(3, r // 3))
    elif shape == "cross":
        pen.rectangle((x - r, y - r // 3, x + r, y + r // 3), fill=fill)
        pen.rectangle((x - r // 3, y - r, x + r // 3, y + r), fill=fill)
    else:
        reach = [r if i % 2 == 0 else r * 0.45 for i in range(10)]
        turns = [i * math.pi / 5 for i in range(10)]
        points = [
            (x + a * math.sin(t), y - a * math.cos(t)) for a, t in zip(reach, turns, strict=True)
        ]
        pen.polygon(points, fill=fill)


def questions_about(left: Object, right: Object, draws: random.Random) -> list[tuple[str, ...]]:
    asked = draws.choice(SHAPES)
    pair = f"{left[1]} {left[2]} beside {right[1]} {right[2]}"
    every = [
        ("what is on the left?", " ".join(left), "object"),
        ("what is on the right side of the photo?", " ".join(right), "object"),
        ("vật bên trái màu gì?", f"màu {COLOURS[left[1]][1]}", "màu"),
        ("vật bên phải màu gì?", f"màu {COLOURS[right[1]][1]}", "màu"),
        ("what stands beside what?", pair, "pair"),
        (f"is there a {asked}?", "yes" if asked in (left[2], right[2]) else "no", "yes/no"),
    ]
    return draws.sample(every, 4)


def write_photos(folder: Path) -> None:
    draws, noise = random.Random(SEED), np.random.default_rng(SEED)
    rows: list[tuple[str, ...]] = []
    for index in range(IMAGES):
        width, height = draws.choice(SIZES)
        image = background(width, height, draws, noise)
        pen, objects = ImageDraw.Draw(image), []
        for side in (0, 1):
            is_big = draws.random() < 0.5
            share = draws.uniform(0.2, 0.24) if is_big else draws.uniform(0.1, 0.13)
            radius = int(min(width, height) * share)
            colour, shape = draws.choice(list(COLOURS)), draws.choice(SHAPES)
            x = int(width * (0.25 + 0.5 * side) + draws.uniform(-0.03, 0.03) * width)
            y = int(draws.uniform(radius + 2, height - radius - 2))
            fill = tuple(int(v + draws.uniform(-12, 12)) for v in COLOURS[colour][0])
            draw(pen, shape, x, y, radius, fill)
            objects.append(("big" if is_big else "small", colour, shape))
        name = f"{index // 500}/{index:05d}.jpg"
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blurred = image.filter(ImageFilter.GaussianBlur(draws.random() * 0.8))
        blurred.save(path, quality=draws.randint(60, 95))
        rows += [(name, *asked) for asked in questions_about(*objects, draws)]
    with (folder / "questions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "question", "answer", "type"])
        writer.writerows(rows)


if __name__ == "__main__":
    write_photos(Path(sys.argv[1]))
