"""That of lesson 08 on hectares: an area with its error.

Equations are those of Olofsson et al., "Good practices for estimating area and assessing accuracy
of land change", Remote Sensing of Environment 148, 42-57, 2014.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception

Array = NDArray[Any]


def stratified_area(counts: Array, strata_ha: Array) -> tuple[float, float]:
    """(strata, 2) sample and (strata,) hectares -> hectares lost and their standard error."""
    drawn = counts.sum(axis=1)
    share = counts[:, 1] / drawn
    variance = share * (1 - share) / (drawn - 1)
    area = (strata_ha * share).sum()
    return float(area), float(np.sqrt((strata_ha**2 * variance).sum()))


def _area_by_pixel(counts: Array, strata_ha: Array) -> tuple[float, float]:
    """Each sampled pixel stands for its part of the stratum; variances from the pixels themselves.

    The variance of a mean of n zeros and ones is their empirical variance, by n - 1, over n.
    """
    area, variance = 0.0, 0.0
    for (kept, lost), hectares in zip(counts.tolist(), strata_ha.tolist(), strict=True):
        pixels = [0.0] * int(kept) + [1.0] * int(lost)
        middle = sum(pixels) / len(pixels)
        spread = sum((pixel - middle) ** 2 for pixel in pixels) / (len(pixels) - 1)
        area += sum(hectares / len(pixels) for pixel in pixels if pixel)
        variance += hectares**2 * spread / len(pixels)
    return area, math.sqrt(variance)


def _other_area(area: Any) -> Any:
    """A wrong answer whose standard error is right."""
    return lambda counts, strata_ha: (
        float(area(counts, strata_ha)),
        stratified_area(counts, strata_ha)[1],
    )


def _other_error(error: Any) -> Any:
    """A wrong answer whose area is right; `error` is given drawn, share and hectares."""

    def wrong(counts: Array, strata_ha: Array) -> tuple[float, float]:
        drawn = counts.sum(axis=1)
        found = error(drawn, counts[:, 1] / drawn, strata_ha)
        return stratified_area(counts, strata_ha)[0], float(found)

    return wrong


def _sample(seed: int, strata: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    drawn = draw.integers(40, 200, strata)
    lost = draw.binomial(drawn, draw.uniform(0.02, 0.9, strata))
    return np.stack([drawn - lost, lost], axis=1), draw.uniform(30, 2000, strata).round(1)


STRATIFIED = Exercise(
    id="stratified_area",
    lesson="08",
    title="Hectares, and how sure?",
    points=3,
    minutes=9,
    difficulty=3,
    reference=stratified_area,
    oracle=_area_by_pixel,
    cases=(
        lambda: (np.array([[98, 2], [10, 40]]), np.array([1500.0, 100.0])),
        lambda: _sample(91, 2),
        lambda: _sample(92, 3),
    ),
    invariants=(
        Invariant(
            "the area is no larger than the place",
            lambda found, counts, strata_ha: 0 <= found[0] <= strata_ha.sum(),
        ),
    ),
    misconceptions=(
        Misconception(
            "all pixels alike",
            _other_area(
                lambda counts, strata_ha: counts[:, 1].sum() / counts.sum() * strata_ha.sum()
            ),
            "You took the share of all sampled pixels together. But a pixel of the small stratum "
            "was far more likely to be drawn: each stratum's share counts for its own hectares.",
        ),
        Misconception(
            "what the map says",
            _other_area(lambda counts, strata_ha: strata_ha[-1]),
            "You gave the hectares of the mapped loss, which needs no sample. What the map missed "
            "is lost too, and its false alarms are not.",
        ),
        Misconception(
            "false alarms taken off only",
            _other_area(lambda counts, strata_ha: strata_ha[-1] * counts[-1, 1] / counts[-1].sum()),
            "You took the false alarms off the mapped loss, but added nothing for what the map "
            "missed. A small share of a large stratum is many hectares.",
        ),
        Misconception(
            "variance, not its root",
            _other_error(lambda n, p, ha: (ha**2 * p * (1 - p) / (n - 1)).sum()),
            "Your error is in square hectares: it is the variance. The standard error is its root.",
        ),
        Misconception(
            "divided by n",
            _other_error(lambda n, p, ha: np.sqrt((ha**2 * p * (1 - p) / n).sum())),
            "You divided by n. The spread is itself taken from the sample, so equation 10 has "
            "n - 1.",
        ),
        Misconception(
            "errors added",
            _other_error(lambda n, p, ha: (ha * np.sqrt(p * (1 - p) / (n - 1))).sum()),
            "You added the standard errors of the strata. They are independent, and may go in "
            "opposite directions: variances add up, and the root comes last.",
        ),
        Misconception(
            "hectares not squared",
            _other_error(lambda n, p, ha: np.sqrt((ha * p * (1 - p) / (n - 1)).sum())),
            "You weighted variances by hectares. A variance is a square, so its weight is one too: "
            "strata_ha ** 2.",
        ),
        Misconception(
            "half an interval",
            _other_error(lambda n, p, ha: 1.96 * np.sqrt((ha**2 * p * (1 - p) / (n - 1)).sum())),
            "Your error is 1.96 standard errors, half of a 95 % interval. Asked for is the "
            "standard error itself.",
        ),
        Misconception(
            "columns swapped",
            _other_area(lambda counts, strata_ha: (strata_ha * counts[:, 0] / counts.sum(1)).sum()),
            "You took the first column, which counts pixels that were not lost. Lost ones are in "
            "the second, counts[:, 1].",
        ),
        Misconception(
            "standard deviation",
            _other_error(lambda n, p, ha: np.sqrt((ha**2 * p * (1 - p)).sum())),
            "You left the sample's size out: this is how much single pixels differ, and it would "
            "be the same for ten pixels and ten thousand.",
        ),
    ),
)
