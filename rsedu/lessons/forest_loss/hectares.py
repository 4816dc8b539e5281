"""Stratified area estimate with its error, and the size of a sample: exercises of lesson 08.

Equations are those of Olofsson et al., "Good practices for estimating area and assessing accuracy
of land change", Remote Sensing of Environment 148, 42-57, 2014. Sizes follow W. G. Cochran,
Sampling Techniques, 3rd edition, 1977, equation 5.25, which they give as their equation 13, without
the correction for small strata.
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
        wrong_error = error(drawn, counts[:, 1] / drawn, strata_ha)
        return stratified_area(counts, strata_ha)[0], float(wrong_error)

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
    cases=(
        lambda: (np.array([[98, 2], [10, 40]]), np.array([1500.0, 100.0])),
        lambda: _sample(91, 2),
        lambda: _sample(92, 3),
    ),
    invariants=(
        Invariant(
            "the area is no larger than the place",
            lambda answer, counts, strata_ha: 0 <= answer[0] <= strata_ha.sum(),
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


def sample_size(shares: Array, strata_ha: Array, half_ha: float) -> int:
    """Pixels to look up, so that the 95 % interval reaches `half_ha` hectares to each side."""
    spread = float((strata_ha * np.sqrt(shares * (1 - shares))).sum())
    return math.ceil((spread / (half_ha / 1.96)) ** 2)


def _sized(spread: Any, error: Any = lambda half_ha: half_ha / 1.96) -> Any:
    return lambda shares, strata_ha, half_ha: math.ceil(
        float((spread(shares, strata_ha) / error(half_ha)) ** 2)
    )


def _spread(shares: Array, strata_ha: Array) -> Any:
    return (strata_ha * np.sqrt(shares * (1 - shares))).sum()


SAMPLE_SIZE = Exercise(
    id="sample_size",
    lesson="08",
    title="How many pixels to look up?",
    points=2,
    minutes=6,
    difficulty=2,
    reference=sample_size,
    cases=(
        lambda: (np.array([0.01, 0.8]), np.array([1550.0, 50.0]), 10.0),
        lambda: (np.array([0.004, 0.9, 0.3]), np.array([1400.0, 55.0, 145.0]), 6.5),
        lambda: (np.array([0.013, 0.71]), np.array([38_211.0, 1789.0]), 150.0),
    ),
    misconceptions=(
        Misconception(
            "interval for error",
            _sized(_spread, lambda half_ha: half_ha),
            "You took half the interval for the standard error. It is 1.96 of them, so the sample "
            "has to be almost four times as large.",
        ),
        Misconception(
            "rounded down",
            lambda shares, strata_ha, half_ha: sample_size(shares, strata_ha, half_ha) - 1,
            "You rounded down, and the interval is a little too long: math.ceil.",
        ),
        Misconception(
            "variances for spreads",
            _sized(lambda shares, strata_ha: (strata_ha * shares * (1 - shares)).sum()),
            "You put p (1 - p) where its root belongs: the spread of zeros and ones is "
            "sqrt(p (1 - p)), and for small shares that is much more.",
        ),
        Misconception(
            "one stratum",
            _sized(
                lambda shares, strata_ha: math.sqrt(
                    (strata_ha * shares).sum() * (strata_ha.sum() - (strata_ha * shares).sum())
                )
            ),
            "This is the size of a sample without strata. That the map tells where to look is what "
            "saves the work: sum the spreads within the strata.",
        ),
        Misconception(
            "squares summed",
            _sized(
                lambda shares, strata_ha: math.sqrt((strata_ha**2 * shares * (1 - shares)).sum())
            ),
            "You squared each stratum and then summed, as if each were sampled with all the "
            "pixels. The sum comes first, then the square.",
        ),
        Misconception(
            "not squared",
            lambda shares, strata_ha, half_ha: math.ceil(
                float(_spread(shares, strata_ha) / (half_ha / 1.96))
            ),
            "The square is missing: half the interval takes four times the pixels.",
        ),
    ),
)


def most_missed_ha(looked: int, stratum_ha: float) -> float:
    """Hectares that may be lost where none of `looked` pixels was, with 95 % confidence."""
    return float(stratum_ha * (1 - 0.05 ** (1 / looked)))


MOST_MISSED = Exercise(
    id="most_missed_ha",
    lesson="08",
    title="Found none, so there is none?",
    points=2,
    minutes=5,
    difficulty=2,
    reference=most_missed_ha,
    cases=(
        lambda: (75, 1500.0),
        lambda: (11, 320.0),
        lambda: (425, 38_000.0),
    ),
    invariants=(
        Invariant(
            "it is more than nothing, and no more than the stratum",
            lambda answer, looked, stratum_ha: 0 < answer <= stratum_ha,
        ),
    ),
    misconceptions=(
        Misconception(
            "none found, none there",
            lambda looked, stratum_ha: 0.0,
            "You said none. A standard error from zeros is zero, and that is not knowledge: even "
            "if one pixel in a hundred were lost, 75 would meet none of them nearly every second "
            "time.",
        ),
        Misconception(
            "one more would have been",
            lambda looked, stratum_ha: stratum_ha / looked,
            "You took one pixel in the sample, 1 / n. A share of 1 / n is still missed by every "
            "third sample: solve (1 - p) ** n = 0.05.",
        ),
        Misconception(
            "confidence for doubt",
            lambda looked, stratum_ha: stratum_ha * (1 - 0.95 ** (1 / looked)),
            "You put 0.95 where the doubt belongs: this share would be missed by 95 samples in a "
            "hundred. It should be missed by 5.",
        ),
        Misconception(
            "both sides",
            lambda looked, stratum_ha: stratum_ha * (1 - 0.025 ** (1 / looked)),
            "You left 2.5 % on each side. Below 0 there is nothing to leave: all 5 % lie above.",
        ),
        Misconception(
            "no root",
            lambda looked, stratum_ha: stratum_ha * 0.95 / looked,
            "You shared 95 % out over the pixels. That each of n pixels is not lost has the chance "
            "(1 - p) ** n: set that to 0.05 and solve for p.",
        ),
        Misconception(
            "share, not hectares",
            lambda looked, stratum_ha: 1 - 0.05 ** (1 / looked),
            "This is the share. The question is how many hectares: times those of the stratum.",
        ),
    ),
)
