"""What a reader of attention maps should know that hardly depend on the question."""

from __future__ import annotations

# Where about 8 % of the attention lies elsewhere (half the sum of the differences), which the
# eye does not see on a map. A model that looks for what is asked (94 % right on easy-VQA) has
# 0.035 bits, from 0.006 to 0.08 on single images; models of photographs that answer no better
# than without the image have 0.0002 and 0.0018.
LEAST_DIVERGENCE = 0.01  # bits


def sameness_notice(divergence: float | None) -> str:
    """The sentence beside such maps, wherever they are shown; empty for others.

    Args:
        divergence: mean Jensen-Shannon divergence between the maps of two questions
            about one image, in bits; None where it is not known.
    """
    if divergence is None or divergence >= LEAST_DIVERGENCE:
        return ""
    return (
        "The maps hardly differ between questions about one image (mean Jensen-Shannon "
        f"divergence {divergence:.4f} bits, below {LEAST_DIVERGENCE:g}): they show where the "
        "tokens look whatever is asked, and explain no answer."
    )
