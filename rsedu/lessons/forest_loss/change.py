"""Those of lesson 08 on a map's worth: whether the loss was found, and when it was dated."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception

Array = NDArray[Any]


def change_scores(mapped: Array, truth: Array) -> tuple[float, float]:
    """Years of a map and of the truth, NaN for none -> F1 of change, mean error in years."""
    ours, theirs = np.isfinite(mapped), np.isfinite(truth)
    found = ours & theirs
    f1 = 2 * found.sum() / (ours.sum() + theirs.sum())
    return float(f1), float(np.abs(mapped[found] - truth[found]).mean())


def _scores_by_pixel(mapped: Array, truth: Array) -> tuple[float, float]:
    """Precision and recall, pixel by pixel, and their harmonic mean."""
    ours, theirs, apart = 0, 0, []
    for mine, real in zip(mapped.ravel().tolist(), truth.ravel().tolist(), strict=True):
        ours += not math.isnan(mine)
        theirs += not math.isnan(real)
        if not math.isnan(mine) and not math.isnan(real):
            apart.append(max(mine - real, real - mine))
    precision, recall = len(apart) / ours, len(apart) / theirs
    return 2 / (1 / precision + 1 / recall), sum(apart) / len(apart)


def _other_f1(f1: Any) -> Any:
    """A wrong answer whose date error is right."""

    def wrong(mapped: Array, truth: Array) -> tuple[float, float]:
        ours, theirs = np.isfinite(mapped), np.isfinite(truth)
        return float(f1(mapped, truth, ours, theirs)), change_scores(mapped, truth)[1]

    return wrong


def _other_error(error: Any) -> Any:
    """A wrong answer whose F1 is right."""

    def wrong(mapped: Array, truth: Array) -> tuple[float, float]:
        return change_scores(mapped, truth)[0], float(error(mapped, truth))

    return wrong


def _two_maps(seed: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    truth, mapped = draw.uniform(2020.5, 2025.5, (2, *shape)).round(2)
    chance = draw.random((2, *shape))
    truth[chance[0] > 0.4] = np.nan
    mapped[(chance[0] > 0.3) & (chance[1] > 0.2)] = np.nan
    return mapped, truth


SCORES = Exercise(
    id="change_scores",
    lesson="08",
    title="F1 of change, and years off",
    points=2,
    minutes=6,
    difficulty=2,
    reference=change_scores,
    oracle=_scores_by_pixel,
    cases=(
        lambda: (
            np.array([[2021.0, 2022.5, np.nan], [2023.0, np.nan, np.nan]]),
            np.array([[2021.5, np.nan, np.nan], [2021.0, 2024.0, np.nan]]),
        ),
        lambda: _two_maps(85, (7, 9)),
        lambda: _two_maps(86, (5, 13)),
    ),
    invariants=(
        Invariant("F1 lies between 0 and 1", lambda found, mapped, truth: 0 <= found[0] <= 1),
    ),
    misconceptions=(
        Misconception(
            "share of right pixels",
            _other_f1(lambda mapped, truth, ours, theirs: (ours == theirs).mean()),
            "You counted every pixel on which map and truth agree. Nearly all of them were not "
            "lost: an empty map would get 0.96 in this lesson. F1 leaves those out.",
        ),
        Misconception(
            "intersection over union",
            _other_f1(
                lambda mapped, truth, ours, theirs: (ours & theirs).sum() / (ours | theirs).sum()
            ),
            "This is the IoU, found over either. F1 counts what was found twice, 2 found / "
            "(mapped + true), and is the larger of both.",
        ),
        Misconception(
            "arithmetic mean",
            _other_f1(
                lambda mapped, truth, ours, theirs: (
                    (ours & theirs).sum() * (1 / ours.sum() + 1 / theirs.sum()) / 2
                )
            ),
            "You took the plain mean of precision and recall: a map of everything would get more "
            "than a half. F1 is the harmonic mean, 2 / (1 / precision + 1 / recall).",
        ),
        Misconception(
            "precision only",
            _other_f1(lambda mapped, truth, ours, theirs: (ours & theirs).sum() / ours.sum()),
            "This is the precision alone: a map of the one surest pixel would get 1.",
        ),
        Misconception(
            "the year must be right",
            _other_f1(
                lambda mapped, truth, ours, theirs: (
                    2 * (np.floor(mapped) == np.floor(truth)).sum() / (ours.sum() + theirs.sum())
                )
            ),
            "You counted a pixel as found only where the calendar year is right too. F1 asks "
            "*whether*, the error in years asks *when*: mixed, neither can be read.",
        ),
        Misconception(
            "signed years",
            _other_error(lambda mapped, truth: np.nanmean(mapped - truth)),
            "Your years have signs, so what comes a year too early makes up for what comes a year "
            "too late. Take absolute differences.",
        ),
        Misconception(
            "root of squares",
            _other_error(lambda mapped, truth: np.sqrt(np.nanmean((mapped - truth) ** 2))),
            "You took the root of the mean square, which a few pixels of five years decide. Asked "
            "for is the mean absolute difference.",
        ),
        Misconception(
            "all pixels",
            _other_error(lambda mapped, truth: np.nan_to_num(np.abs(mapped - truth)).mean()),
            "You divided by all pixels of the map. Only those that were found have two dates to "
            "compare.",
        ),
    ),
)
