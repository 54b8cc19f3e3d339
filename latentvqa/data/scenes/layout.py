"""Where the objects of a built-in scene stand, and how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from latentvqa.errors import DataError

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 160, 50),
    "blue": (40, 70, 220),
    "orange": (250, 150, 20),
    "grey": (130, 130, 130),
    "yellow": (240, 220, 30),
}
_TRIES_PER_OBJECT = 50
_RESTARTS = 1_000


@dataclass(frozen=True)
class SceneObject:
    """One object: colour and shape by name, its centre in pixels from the top left."""

    colour: str
    shape: str
    x: int
    y: int


@dataclass(frozen=True)
class SceneSpec:
    """How the scenes of a set are drawn.

    Attributes:
        canvas: side of the square image, in pixels.
        objects: number of objects, each of its own colour.
        radius: half the side of an object, in pixels.
        midline_margin: least distance of a centre from the middle line in
            either direction, in pixels, so that left and top are never in doubt.
    """

    canvas: int
    objects: int
    radius: int
    midline_margin: float

    def __post_init__(self) -> None:
        if not 2 <= self.objects <= len(COLOURS):
            raise DataError(f"objects {self.objects}: must be 2 to {len(COLOURS)}, one per colour")
        if self.radius < 1 or self.canvas < 4 * self.radius + 2:
            raise DataError(f"canvas {self.canvas}: too small for objects of radius {self.radius}")


def sample_scene(spec: SceneSpec, random: Random) -> list[SceneObject]:
    """Place the objects without overlap; every number of circles is possible.

    The number of circles is uniform, but for all and none at half the weight:
    then "how many share this shape" has every answer equally often.

    Raises:
        DataError: if the objects do not fit on the canvas.
    """
    circles = random.randrange(2 * spec.objects)
    circles = (circles + 1) // 2
    shapes = ["circle"] * circles + ["square"] * (spec.objects - circles)
    random.shuffle(shapes)
    colours = list(COLOURS)[: spec.objects]
    return [
        SceneObject(colour, shape, x, y)
        for colour, shape, (x, y) in zip(colours, shapes, _place(spec, random), strict=True)
    ]


def draw_scene(objects: Sequence[SceneObject], spec: SceneSpec) -> Image.Image:
    """Draw the objects on white."""
    image = Image.new("RGB", (spec.canvas, spec.canvas), "white")
    pen = ImageDraw.Draw(image)
    for item in objects:
        box = (
            item.x - spec.radius,
            item.y - spec.radius,
            item.x + spec.radius,
            item.y + spec.radius,
        )
        draw = pen.ellipse if item.shape == "circle" else pen.rectangle
        draw(box, fill=COLOURS[item.colour])
    return image


def _place(spec: SceneSpec, random: Random) -> list[tuple[int, int]]:
    apart = 2 * spec.radius + 2
    middle = (spec.canvas - 1) / 2
    allowed = [
        place
        for place in range(spec.radius, spec.canvas - spec.radius)
        if abs(place - middle) >= spec.midline_margin
    ]
    for _ in range(_RESTARTS if allowed else 0):
        centres: list[tuple[int, int]] = []
        for _ in range(_TRIES_PER_OBJECT * spec.objects):
            x, y = random.choice(allowed), random.choice(allowed)
            if all(max(abs(x - a), abs(y - b)) >= apart for a, b in centres):
                centres.append((x, y))
            if len(centres) == spec.objects:
                return centres
    raise DataError(
        f"{spec.objects} objects of radius {spec.radius} do not fit on a canvas of {spec.canvas} "
        "pixels; make the canvas larger or the objects smaller"
    )
