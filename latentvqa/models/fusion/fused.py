"""What every fusion takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Fused:
    """What becomes of image and question.

    Attributes:
        tokens: shape ``(Q, N, D)``: the P patches and the question summary, or the states
            of a question that reads.
        read: share of each patch, and last of the question itself, in what each token
            holds, ``(Q, N, P + 1)``; None where token i is patch i.
    """

    tokens: Tensor
    read: Tensor | None = None


def of_each_question(of_images: Tensor, image_index: Tensor | None) -> Tensor:
    """What belongs to images ``(B, ...)``, for each question: ``(Q, ...)``.

    Args:
        of_images: one row an image.
        image_index: image of each question, shape ``(Q,)``; None where question i is
            about image i.
    """
    return of_images if image_index is None else of_images[image_index]
