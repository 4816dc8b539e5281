"""Those of lesson 08 on samples: how many pixels to look up, and what it means to find none.

Sizes follow W. G. Cochran, Sampling Techniques, 3rd edition, 1977, equation 5.25, which Olofsson et
al. 2014 give as their equation 13, without the correction for small strata.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception

Array = NDArray[Any]


def sample_size(shares: Array, strata_ha: Array, half_ha: float) -> int:
    """Pixels to look up, so that the 95 % interval reaches `half_ha` hectares to each side."""
    spread = float((strata_ha * np.sqrt(shares * (1 - shares))).sum())
    return math.ceil((spread / (half_ha / 1.96)) ** 2)


def _size_by_trial(shares: Array, strata_ha: Array, half_ha: float) -> int:
    """Deal out larger and larger samples as Neyman does, until the interval is short enough.

    A stratum gets its part in proportion to its hectares times its spread, here in fractions of
    pixels. The number is first doubled, then halved in on.
    """
    weights = [
        ha * math.sqrt(p * (1 - p))
        for ha, p in zip(strata_ha.tolist(), shares.tolist(), strict=True)
    ]

    def half_width(total: int) -> float:
        variance = 0.0
        for weight in weights:
            drawn = float(Fraction(total)) * weight / sum(weights)
            variance += weight**2 / drawn
        return 1.96 * math.sqrt(variance)

    above = 1
    while half_width(above) > half_ha:
        above *= 2
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        if half_width(middle) > half_ha:
            below = middle
        else:
            above = middle
    return above


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
    oracle=_size_by_trial,
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


def _missed_by_halving(looked: int, stratum_ha: float) -> float:
    """Find by halving the share at which a sample meets none of it one time in twenty."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        met_none = 1.0
        for _ in range(looked):
            met_none *= 1 - middle
        low, high = (middle, high) if met_none > 0.05 else (low, middle)
    return stratum_ha * low


MOST_MISSED = Exercise(
    id="most_missed_ha",
    lesson="08",
    title="Found none, so there is none?",
    points=2,
    minutes=5,
    difficulty=2,
    reference=most_missed_ha,
    oracle=_missed_by_halving,
    cases=(
        lambda: (75, 1500.0),
        lambda: (11, 320.0),
        lambda: (425, 38_000.0),
    ),
    invariants=(
        Invariant(
            "it is more than nothing, and no more than the stratum",
            lambda found, looked, stratum_ha: 0 < found <= stratum_ha,
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
