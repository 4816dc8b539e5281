"""Speckle: the equivalent number of looks, and multi-looking: exercises of lesson 01."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Misconception

Array = NDArray[Any]


def _speckle(seed: int, shape: tuple[int, int], looks: float) -> tuple[Array]:
    return (0.05 * np.random.default_rng(seed).gamma(looks, 1 / looks, size=shape),)


def equivalent_looks(power: Array) -> float:
    """Equivalent number of looks of an even surface, from its (rows, cols) power."""
    return float(power.mean() ** 2 / power.var())


def _db(power: Array) -> Array:
    return np.asarray(10 * np.log10(power))


EQUIVALENT_LOOKS = Exercise(
    id="equivalent_looks",
    lesson="01",
    title="How many looks?",
    points=2,
    minutes=4,
    difficulty=1,
    reference=equivalent_looks,
    cases=(
        lambda: (np.array([[1.0, 2.0], [3.0, 4.0]]),),
        lambda: _speckle(13, (9, 14), 4.4),
        lambda: _speckle(14, (31, 20), 1.0),
    ),
    misconceptions=(
        Misconception(
            "upside down",
            lambda power: power.var() / power.mean() ** 2,
            "Upside down: more speckle must mean fewer looks, so the variance goes below.",
        ),
        Misconception(
            "not squared",
            lambda power: power.mean() / power.var(),
            "The mean has to be squared, or the number depends on the unit of power.",
        ),
        Misconception(
            "standard deviation",
            lambda power: power.mean() / power.std(),
            "This is mean over standard deviation, the square root of what is wanted: square it.",
        ),
        Misconception(
            "one axis only",
            lambda power: power.mean(axis=0) ** 2 / power.var(axis=0),
            "You averaged down the columns and got one number for each: leave `axis` away to take "
            "the whole window.",
        ),
        Misconception(
            "in decibels",
            lambda power: _db(power).mean() ** 2 / _db(power).var(),
            "The formula wants power, and your numbers were turned into decibels before.",
        ),
    ),
)


def multilook(power: Array, n: int) -> Array:
    """Mean power of blocks of n x n pixels."""
    rows, cols = power.shape[0] // n, power.shape[1] // n
    blocks: Array = power[: rows * n, : cols * n].reshape(rows, n, cols, n)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _blocks_torn(power: Array, n: int) -> Array:
    rows, cols = power.shape[0] // n, power.shape[1] // n
    return np.asarray(power[: rows * n, : cols * n].reshape(rows, cols, n, n).mean(axis=(2, 3)))


MULTILOOK = Exercise(
    id="multilook",
    lesson="01",
    title="Multi-looking",
    points=3,
    minutes=6,
    difficulty=2,
    reference=multilook,
    cases=(
        lambda: (np.arange(1.0, 25.0).reshape(4, 6), 2),
        lambda: (*_speckle(15, (11, 8), 1.0), 3),
        lambda: (*_speckle(16, (10, 15), 2.0), 5),
        lambda: (*_speckle(17, (5, 4), 1.0), 1),
    ),
    misconceptions=(
        Misconception(
            "picked, not averaged",
            lambda power, n: power[: power.shape[0] // n * n : n, : power.shape[1] // n * n : n],
            "You keep one pixel of each block and throw the others away: as much speckle as "
            "before. Average the block.",
        ),
        Misconception(
            "summed",
            lambda power, n: n**2 * multilook(power, n),
            "Each value is n x n times too large: that is the sum of the block, not its mean.",
        ),
        Misconception(
            "averaged decibels",
            lambda power, n: 10 ** (multilook(_db(power), n) / 10),
            "You averaged decibels and went back: energy adds up as power, and the mean of a "
            "logarithm lies too low. Average the power itself.",
        ),
        Misconception(
            "blocks torn",
            _blocks_torn,
            "Your blocks are torn: reshape(rows, cols, n, n) takes n x n neighbours along one row. "
            "Each axis has to be cut in two where it stands: (rows, n, cols, n).",
        ),
        Misconception(
            "rows only",
            lambda power, n: np.repeat(
                power[: power.shape[0] // n * n].reshape(power.shape[0] // n, n, -1).mean(axis=1), 1
            ).reshape(power.shape[0] // n, -1),
            "Only the rows were averaged: cut the columns into blocks of n as well.",
        ),
    ),
)
