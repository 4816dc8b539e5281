"""Confidence intervals: the mean of runs, or of differences of paired runs, with Student's t."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from rsedu.errors import InputError


@dataclass(frozen=True)
class Interval:
    """A mean of `count` values, with both ends of its interval of confidence."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}], n = {self.count}"


def interval(
    values: Sequence[float] | Float[np.ndarray, "runs"], *, level: float = 0.95
) -> Interval:
    """Mean of independent runs and its two-sided Student interval.

    ``mean +- t(level, n - 1) * s / sqrt(n)``, with s the deviation over n - 1.

    Args:
        values: one per run (seed), two or more.
        level: probability that the interval holds the true mean, if runs are normal.

    Raises:
        InputError: fewer than two values, or one that is not finite.

    >>> print(interval([0.61, 0.64, 0.70, 0.66, 0.59]))
    0.64 [0.587, 0.693], n = 5
    """
    runs = np.asarray(values, dtype=np.float64)
    if runs.size < 2 or not np.isfinite(runs).all():
        raise InputError(
            f"An interval needs two or more finite values, one per seed; got {runs.tolist()}."
        )
    half = stats.t.ppf((1 + level) / 2, runs.size - 1) * runs.std(ddof=1) / np.sqrt(runs.size)
    mean = float(runs.mean())
    return Interval(mean, mean - float(half), mean + float(half), runs.size)


def paired_interval(
    first: Sequence[float] | Float[np.ndarray, "runs"],
    second: Sequence[float] | Float[np.ndarray, "runs"],
    *,
    level: float = 0.95,
) -> Interval:
    """Mean of ``first - second`` over runs that share their seed, with its Student interval.

    What both runs of a pair have in common (data, split, initial weights) cancels. Both hold one
    value per seed, in the same order; `level` and errors as in `interval`.
    """
    if len(first) != len(second):
        raise InputError(f"Pairs need equal numbers of runs; got {len(first)} and {len(second)}.")
    return interval(np.asarray(first, dtype=np.float64) - np.asarray(second, float), level=level)
