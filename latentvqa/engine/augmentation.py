"""Random changes of training images that leave the answers to their questions true."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import torch
from torch import Tensor
from torchvision.transforms import v2

from latentvqa.config import Augment

_MOST_BRIGHTNESS, _MOST_HUE = 0.4, 0.1  # at full strength
_ASPECTS = (3 / 4, 4 / 3)

# words about what a flip or a change of colour would falsify, by key of the section;
# English and Vietnamese, whose "phải" alone is no side but a particle of questions
FALSIFIED = {
    "flip": re.compile(
        r"\b(left|right|leftmost|rightmost|clockwise|east|west"
        r"|(bên|phía|hướng|tay|chân|mắt|tai|vai|má|góc|cạnh|mé|mạn|lề|làn|nửa|rẽ|quẹo|sang)"
        r" (trái|phải)|(phía|hướng) (đông|tây))\b",
        re.IGNORECASE,
    ),
    "colour": re.compile(
        r"\b(colou?r(s|ed|ful)?|màu|red|green|blue|yellow|orange|purple|pink|brown|black|white"
        r"|gr[ae]y|đỏ|vàng|xanh|da cam|tím|hồng|nâu|đen|trắng|xám)\b",
        re.IGNORECASE,
    ),
}


def falsified(texts: Iterable[str]) -> dict[str, int]:
    """How many texts speak of what each change would falsify, by key of the section.

    Args:
        texts: questions and answers.
    """
    found = dict.fromkeys(FALSIFIED, 0)
    for text in texts:
        composed = unicodedata.normalize("NFC", text)
        for key, words in FALSIFIED.items():
            found[key] += words.search(composed) is not None
    return found


class Augmentation:
    """Draws a change for each image from torch's default generator.

    Args:
        section: what is changed, and how far; nothing is left to be decided.
        size: side of the images, in pixels.
    """

    def __init__(self, section: Augment, size: int) -> None:
        steps: list[torch.nn.Module] = []
        if section.rotation:
            middle = v2.InterpolationMode.BILINEAR
            steps.append(v2.RandomRotation(section.rotation, interpolation=middle))
        if section.crop < 1.0:
            area = (section.crop, 1.0)
            steps.append(v2.RandomResizedCrop(size, area, _ASPECTS, antialias=True))
        if section.flip is True:
            steps.append(v2.RandomHorizontalFlip())
        if isinstance(section.colour, float) and section.colour > 0.0:
            light = _MOST_BRIGHTNESS * section.colour
            steps.append(v2.ColorJitter(light, light, light, _MOST_HUE * section.colour))
        self._change = v2.Compose(steps) if steps else None

    def __call__(self, images: Tensor) -> Tensor:
        """Change each image by itself.

        Args:
            images: uint8 pixels, shape ``(B, 3, size, size)``; anything else, as
                features of a frozen backbone, is given back as it is.
        """
        if self._change is None or images.dtype != torch.uint8:
            return images
        return torch.stack([self._change(image) for image in images])
