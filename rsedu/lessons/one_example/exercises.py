"""One-shot search by cosine, with a threshold for presence: exercises of lesson 07."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Misconception
from rsedu.lessons.one_example.guidance import GUIDED_ATTENTION, MASK_WEIGHTS

Array = NDArray[Any]
Point = tuple[float, float]


def _features(seed: int, shape: tuple[int, int, int]) -> Array:
    """Embeddings with a common part, as a model's have."""
    draw = np.random.default_rng(seed)
    return np.asarray(draw.normal(0.4, 1.0, size=shape).round(2))


def _cells(seed: int, shape: tuple[int, int]) -> Array:
    return np.asarray(np.random.default_rng(seed).random(shape) < 0.35)


def target_embedding(features: Array, mask: Array) -> Array:
    """(dim,) mean of the (dim, rows, cols) embeddings of the cells of a mask."""
    return np.asarray(features[:, mask].mean(axis=1))


def _each_a_direction(features: Array, mask: Array) -> Array:
    inside = features[:, mask]
    return np.asarray((inside / np.linalg.norm(inside, axis=0)).mean(axis=1))


TARGET = Exercise(
    id="target_embedding",
    lesson="07",
    title="What does it look like?",
    points=2,
    minutes=5,
    difficulty=1,
    reference=target_embedding,
    cases=(
        lambda: (
            np.arange(12.0).reshape(2, 2, 3) ** 1.5,
            np.array([[True, False, True], [False, True, False]]),
        ),
        lambda: (_features(71, (5, 4, 7)), _cells(72, (4, 7))),
        lambda: (_features(73, (3, 6, 5)), _cells(74, (6, 5))),
    ),
    misconceptions=(
        Misconception(
            "whole image",
            lambda features, mask: features.mean(axis=(1, 2)),
            "This is the mean of the whole image: the mask chooses nothing. Index with it, "
            "features[:, mask], before you average.",
        ),
        Misconception(
            "divided by all cells",
            lambda features, mask: (features * mask).mean(axis=(1, 2)),
            "You set the other cells to zero, and then averaged over them too. Divide by the "
            "number of cells *in* the mask, mask.sum().",
        ),
        Misconception(
            "sum",
            lambda features, mask: features[:, mask].sum(axis=1),
            "This is the sum over the cells, so a large example would have a long vector. Take the "
            "mean.",
        ),
        Misconception(
            "the background",
            lambda features, mask: features[:, ~mask].mean(axis=1),
            "These are the cells *outside* the mask: True is the object.",
        ),
        Misconception(
            "largest",
            lambda features, mask: features[:, mask].max(axis=1),
            "This is the largest value of each channel. PerSAM-F mixes it in later; the target "
            "embedding itself is the mean.",
        ),
        Misconception(
            "over the channels",
            lambda features, mask: features[:, mask].mean(axis=0),
            "You averaged the channels of each cell. A target has one number per channel: average "
            "over the cells, axis 1 of features[:, mask].",
        ),
        Misconception(
            "each cell a direction",
            _each_a_direction,
            "You made every cell's vector one long before averaging. PerSAM averages the "
            "embeddings as they are; lengths are removed later, when angles are measured.",
        ),
    ),
)


def cosine_map(features: Array, target: Array) -> Array:
    """(rows, cols) cosine of each cell's embedding with the target's."""
    lengths = np.linalg.norm(features, axis=0) * np.linalg.norm(target)
    return np.asarray(np.einsum("drc,d->rc", features, target) / lengths)


def _dot(features: Array, target: Array) -> Array:
    return np.asarray(np.einsum("drc,d->rc", features, target))


def _distance(features: Array, target: Array) -> Array:
    return np.asarray(np.linalg.norm(features - target[:, None, None], axis=0))


COSINE = Exercise(
    id="cosine_map",
    lesson="07",
    title="Where is something like it?",
    points=2,
    minutes=5,
    difficulty=2,
    reference=cosine_map,
    cases=(
        lambda: (
            np.array([[[1.0, 2.0], [0.0, -1.0]], [[2.0, -1.0], [3.0, -2.0]]]),
            np.array([1.0, 2.0]),
        ),
        lambda: (_features(75, (6, 3, 8)), _features(76, (6, 1, 1))[:, 0, 0]),
        lambda: (_features(77, (4, 9, 2)), _features(78, (4, 1, 1))[:, 0, 0]),
    ),
    misconceptions=(
        Misconception(
            "dot product",
            _dot,
            "This is the bare dot product: a cell with a long vector resembles everything. Divide "
            "by both lengths.",
        ),
        Misconception(
            "only the target",
            lambda features, target: _dot(features, target / np.linalg.norm(target)),
            "You divided by the target's length only; each cell's vector has a length too, "
            "np.linalg.norm(features, axis=0).",
        ),
        Misconception(
            "only the cells",
            lambda features, target: _dot(features / np.linalg.norm(features, axis=0), target),
            "You divided by the cells' lengths only; the target's is missing. The order of the "
            "cells is right, but no threshold would mean the same for another target.",
        ),
        Misconception(
            "one length for all",
            lambda features, target: (
                _dot(features, target) / np.linalg.norm(features) / np.linalg.norm(target)
            ),
            "You divided by one length for the whole image. Each cell has its own: norm over "
            "axis 0, the channels.",
        ),
        Misconception(
            "squared lengths",
            lambda features, target: (
                _dot(features, target)
                / (np.linalg.norm(features, axis=0) ** 2 * np.linalg.norm(target) ** 2)
            ),
            "You divided by the squares of the lengths: np.linalg.norm has the root already.",
        ),
        Misconception(
            "distance",
            _distance,
            "This is the distance, which is small where things are alike, and depends on lengths. "
            "Asked is the cosine of the angle.",
        ),
        Misconception(
            "absolute",
            lambda features, target: np.abs(cosine_map(features, target)),
            "You took the absolute value: what points the *opposite* way would then resemble the "
            "target as much as its twin.",
        ),
        Misconception(
            "0 to 1",
            lambda features, target: (1 + cosine_map(features, target)) / 2,
            "You moved the cosine to 0 to 1. Leave it at -1 to 1; what PerSAM does with it next "
            "comes in a later step.",
        ),
    ),
)


def prior_points(similarity: Array, cell_px: int) -> tuple[Point, Point]:
    """Centres of the most and of the least similar cell, each (col, row) in pixels."""

    def centre(flat: np.intp) -> Point:
        row, col = divmod(int(flat), similarity.shape[1])
        return col * cell_px + (cell_px - 1) / 2, row * cell_px + (cell_px - 1) / 2

    return centre(similarity.argmax()), centre(similarity.argmin())


def _moved(similarity: Array, cell_px: int, by: float, scale: float) -> tuple[Point, Point]:
    """Right cells, written as another place: number of the cell times scale, plus an offset."""
    points = prior_points(similarity, 1)
    first, second = ((col * scale + by, row * scale + by) for col, row in points)
    return first, second


def _least_like_anything(similarity: Array, cell_px: int) -> tuple[Point, Point]:
    return prior_points(similarity, cell_px)[0], prior_points(-np.abs(similarity), cell_px)[0]


PRIORS = Exercise(
    id="prior_points",
    lesson="07",
    title="Where would it click?",
    points=2,
    minutes=6,
    difficulty=2,
    reference=prior_points,
    cases=(
        lambda: (np.array([[0.2, 0.5, 0.9, 0.4], [0.3, -0.6, 0.1, 0.05]]), 8),
        lambda: (np.random.default_rng(79).normal(size=(9, 6)).round(3), 8),
        lambda: (np.random.default_rng(80).normal(size=(5, 11)).round(3), 5),
    ),
    misconceptions=(
        Misconception(
            "row first",
            lambda similarity, cell_px: tuple(p[::-1] for p in prior_points(similarity, cell_px)),
            "Row and column are swapped: a prompt is (col, row), x first, and an array's index is "
            "[row, col].",
        ),
        Misconception(
            "cells, not pixels",
            lambda similarity, cell_px: prior_points(similarity, 1),
            "These are numbers of cells. A prompt is in pixels: each cell is cell_px of them wide.",
        ),
        Misconception(
            "corner",
            lambda similarity, cell_px: _moved(similarity, cell_px, 0.0, cell_px),
            "This is the first pixel of the cell, its upper left one. Click in the middle: half a "
            "cell further, less half a pixel.",
        ),
        Misconception(
            "edges of pixels",
            lambda similarity, cell_px: _moved(similarity, cell_px, cell_px / 2, cell_px),
            "You are half a pixel off: cell_px / 2 counts edges. The pixels 0 to 7 have their "
            "middle at 3.5.",
        ),
        Misconception(
            "last pixel",
            lambda similarity, cell_px: _moved(similarity, cell_px, cell_px - 1.0, cell_px),
            "This is the last pixel of the cell, its lower right one; its middle is asked for.",
        ),
        Misconception(
            "most and least swapped",
            lambda similarity, cell_px: prior_points(-similarity, cell_px),
            "The two are swapped: the most similar place first, it is the positive click.",
        ),
        Misconception(
            "nearest to nothing",
            _least_like_anything,
            "Your second point is where the cosine is nearest to 0. The least similar place is the "
            "smallest cosine, and that may be far below 0.",
        ),
    ),
)


def present_threshold(peaks: Array, kept: float) -> float:
    """The largest of the peaks that at least this share of them reaches."""
    wanted = math.ceil(round(kept * len(peaks), 9))
    return float(np.sort(peaks)[::-1][wanted - 1])


def _peaks(seed: int, count: int) -> Array:
    return np.asarray(np.random.default_rng(seed).beta(12, 3, size=count).round(4))


THRESHOLD = Exercise(
    id="present_threshold",
    lesson="07",
    title="Is it there at all?",
    points=3,
    minutes=6,
    difficulty=2,
    reference=present_threshold,
    cases=(
        lambda: (np.array([0.91, 0.62, 0.85, 0.78, 0.97, 0.7, 0.88]), 0.7),
        lambda: (_peaks(81, 40), 0.9),
        lambda: (_peaks(82, 23), 0.8),
    ),
    misconceptions=(
        Misconception(
            "wrong end",
            lambda peaks, kept: present_threshold(peaks, 1 - kept),
            "You keep the share that you should give up: sorted from the largest, the threshold "
            "stands where `kept` of them have gone by.",
        ),
        Misconception(
            "between two",
            lambda peaks, kept: float(np.quantile(peaks, 1 - kept)),
            "np.quantile puts the threshold *between* two peaks, and then fewer may stay than were "
            "promised. Take one of the peaks: how many must reach it?",
        ),
        Misconception(
            "one too few",
            lambda peaks, kept: float(
                np.sort(peaks)[::-1][math.ceil(kept * len(peaks) - 1e-9) - 2]
            ),
            "One too few stay. How many must stay is rounded *up* (np.ceil), or fewer than the "
            "share stay; and the n-th largest has index n - 1, since indices start at 0.",
        ),
        Misconception(
            "one too many",
            lambda peaks, kept: float(np.sort(peaks)[::-1][math.ceil(kept * len(peaks) - 1e-9)]),
            "One more stays than is needed. Find the *largest* threshold that keeps the share: "
            "the n-th largest has index n - 1.",
        ),
        Misconception(
            "keeps all",
            lambda peaks, kept: float(peaks.min()),
            "The smallest peak keeps all of them. A share may be given up: the threshold can be "
            "higher, and rejects more where nothing is.",
        ),
        Misconception(
            "bell curve",
            lambda peaks, kept: float(peaks.mean() - peaks.std()),
            "Mean less a deviation keeps a known share of a bell curve only. Count: these peaks "
            "crowd near 1 and have a tail.",
        ),
        Misconception(
            "share of the best",
            lambda peaks, kept: float(kept * peaks.max()),
            "This is a share of the largest *value*. Asked is a share of the *cases*: sort and "
            "count them.",
        ),
    ),
)

EXERCISES = (TARGET, COSINE, PRIORS, GUIDED_ATTENTION, MASK_WEIGHTS, THRESHOLD)
