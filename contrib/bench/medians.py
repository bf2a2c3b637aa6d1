"""Figures out of samples: medians, and ratios that are taken inside a round before anything is averaged."""

from collections.abc import Sequence
from statistics import median

from results import Sample

Samples = Sequence[Sample]


def of(samples: Samples, figure: str) -> float | None:
    """Give the median of a figure; None if no sample has it."""
    found = [sample[figure] for sample in samples if figure in sample]
    return median(found) if found else None


def ratio(ours: Samples, theirs: Samples, figure: str) -> float | None:
    """Give the median over the rounds of our figure by theirs.

    The two were measured within seconds of each other in each round, so that what the machine did besides weighs on
    both: the ratio of two medians would compare different minutes.
    """
    found = [a[figure] / b[figure] for a, b in zip(ours, theirs, strict=False) if b.get(figure) and figure in a]
    return median(found) if found else None
