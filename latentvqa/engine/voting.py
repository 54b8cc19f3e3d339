"""One answer from several latent samples: the one with most probability among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Votes:
    """Collects the samples of a batch.

    Args:
        questions: number of questions.
        samples: samples that will be collected for each.
    """

    def __init__(self, questions: int, samples: int) -> None:
        self._totals: list[dict[str, float]] = [{} for _ in range(questions)]
        self._samples = samples

    def add(self, answers: Sequence[str], probabilities: Iterable[float]) -> None:
        """Add one sample's answer and its probability for every question."""
        for total, answer, share in zip(self._totals, answers, probabilities, strict=True):
            total[answer] = total.get(answer, 0.0) + float(share) / self._samples

    def result(self) -> tuple[list[str], list[float]]:
        """Answer of each question and its probability, averaged over the samples."""
        best = [max(total.items(), key=lambda item: item[1]) for total in self._totals]
        return [answer for answer, _ in best], [share for _, share in best]
