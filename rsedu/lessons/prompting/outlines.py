"""Boundary bias of a mask, and where to click next: exercises of lesson 06."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rsedu.course.exercise import Exercise, Misconception

Array = NDArray[Any]
Click = tuple[int, int, int]


def boundary_bias(predicted: Array, truth: Array, outline_px: float, gsd_m: float) -> float:
    """Metres by which the outline lies too far out: what is too much, over the outline's length."""
    too_much = float(predicted.sum()) - float(truth.sum())
    return too_much * gsd_m**2 / (outline_px * gsd_m)


def _more(predicted: Array, truth: Array) -> float:
    return float(predicted.sum()) - float(truth.sum())


def _disc(at: tuple[float, float], radius: float, shape: tuple[int, int]) -> Array:
    row, col = np.indices(shape)
    return np.asarray(np.hypot(row - at[0], col - at[1]) < radius)


def _grown_square() -> tuple[Array, Array, float, float]:
    predicted, truth = np.zeros((2, 12, 12), dtype=bool)
    predicted[1:9, 2:10], truth[3:9, 3:9] = True, True
    predicted[8, 3:5] = False
    return predicted, truth, 26.5, 10.0


BIAS = Exercise(
    id="boundary_bias",
    lesson="06",
    title="By how many metres is an outline too large?",
    points=3,
    minutes=7,
    difficulty=2,
    reference=boundary_bias,
    cases=(
        _grown_square,
        lambda: (_disc((9, 9), 6, (19, 19)), _disc((9, 10), 7, (19, 19)), 41.0, 30.0),
        lambda: (_disc((8, 12), 7.2, (17, 25)), _disc((8, 11), 5.1, (17, 25)), 38.6, 2.5),
    ),
    misconceptions=(
        Misconception(
            "sign",
            lambda predicted, truth, outline_px, gsd_m: (
                -boundary_bias(predicted, truth, outline_px, gsd_m)
            ),
            "Your sign is turned: too large is above 0. Subtract the truth from the mask.",
        ),
        Misconception(
            "in pixels",
            lambda predicted, truth, outline_px, gsd_m: _more(predicted, truth) / outline_px,
            "This is in pixels: a bias of one pixel is 2.5 m or 60 m on the ground. Area takes "
            "gsd_m squared, the outline gsd_m once.",
        ),
        Misconception(
            "outline in pixels",
            lambda predicted, truth, outline_px, gsd_m: (
                _more(predicted, truth) * gsd_m**2 / outline_px
            ),
            "You divided square metres by an outline in pixels: the outline has a length in metres "
            "too, outline_px * gsd_m.",
        ),
        Misconception(
            "all that differs",
            lambda predicted, truth, outline_px, gsd_m: (
                float((predicted ^ truth).sum()) * gsd_m / outline_px
            ),
            "You counted every pixel that differs. That is error, not bias: what is too large here "
            "may be made up for there. Take mask minus truth.",
        ),
        Misconception(
            "what is too much only",
            lambda predicted, truth, outline_px, gsd_m: (
                float((predicted & ~truth).sum()) * gsd_m / outline_px
            ),
            "You counted only what the mask has too much, so your bias can never be below 0. What "
            "it misses counts with a minus.",
        ),
        Misconception(
            "share of the area",
            lambda predicted, truth, outline_px, gsd_m: _more(predicted, truth) / truth.sum(),
            "This is the error of the area as a share of the truth. The question is how far the "
            "outline lies from where it should be, in metres: divide by its length.",
        ),
    ),
)


def _largest(*wrong: Array, structure: Array | None = None) -> Array:
    """The largest connected region of some masks, each labelled by itself."""
    regions = []
    for mask in wrong:
        numbers, count = ndimage.label(mask, structure)
        regions += [numbers == number for number in range(1, count + 1)]
    return max(regions, key=lambda region: int(region.sum()))


def _deepest(region: Array, truth: Array, border: int = 1) -> Click:
    depth = ndimage.distance_transform_edt(np.pad(region, border))
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    at = int(row) - border, int(col) - border
    return at[1], at[0], int(truth[at])


def next_click(predicted: Array, truth: Array) -> Click:
    """(col, row, label) of the deepest pixel of the largest region that is wrong."""
    return _deepest(_largest(truth & ~predicted, predicted & ~truth), truth)


def _in_the_larger_sort(predicted: Array, truth: Array) -> Click:
    missed, extra = truth & ~predicted, predicted & ~truth
    return _deepest(_largest(missed if missed.sum() > extra.sum() else extra), truth)


def _in_the_centroid(predicted: Array, truth: Array) -> Click:
    region = _largest(truth & ~predicted, predicted & ~truth)
    row, col = np.argwhere(region).mean(axis=0)
    return round(float(col)), round(float(row)), int(truth[region].all())


def _first_of_all(predicted: Array, truth: Array) -> Click:
    row, col = np.argwhere(predicted ^ truth)[0]
    return int(col), int(row), int(truth[row, col])


def _row_first(predicted: Array, truth: Array) -> Click:
    col, row, label = next_click(predicted, truth)
    return row, col, label


def _label_turned(predicted: Array, truth: Array) -> Click:
    col, row, label = next_click(predicted, truth)
    return col, row, 1 - label


def _half_found() -> tuple[Array, Array]:
    """The largest error is one L that was taken in; more was missed, but in two parts."""
    predicted, truth = np.zeros((2, 14, 16), dtype=bool)
    truth[1:13, 1:8] = predicted[5:9, 1:8] = True
    predicted[2:13, 9:12] = predicted[10:13, 9:15] = True
    return predicted, truth


def _touching(corner: bool) -> tuple[Array, Array]:
    """A missed square, a disc that was taken in and is larger, and what touches the square.

    That is another missed square at its corner, or one that was taken in along its edge.
    """
    predicted, truth = np.zeros((2, 21, 19), dtype=bool)
    truth[1:6, 1:6] = True
    (truth if corner else predicted)[(slice(6, 11) if corner else slice(1, 6), slice(6, 11))] = True
    predicted |= _disc((16, 13), 3.3, (21, 19))
    predicted[1:5, 13:18] = True  # so that more was taken in than missed, in both cases
    return predicted, truth


def _two_discs(seed: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    at = np.random.default_rng(seed).uniform(0.4, 0.6, (2, 2)) * shape
    return _disc(tuple(at[0] - 3), 5.3, shape), _disc(tuple(at[1] + 2), 6.6, shape)


NEXT_CLICK = Exercise(
    id="next_click",
    lesson="06",
    title="Where to click next?",
    points=3,
    minutes=9,
    difficulty=3,
    reference=next_click,
    cases=(
        _half_found,
        lambda: _touching(corner=True),
        lambda: _touching(corner=False),
        lambda: _two_discs(74, (23, 27)),
        lambda: (np.zeros((11, 13), dtype=bool), _disc((1, 9), 6.3, (11, 13))),
    ),
    misconceptions=(
        Misconception(
            "row first",
            _row_first,
            "You gave (row, col), the order of array indices. A click is (col, row): x first.",
        ),
        Misconception(
            "label turned",
            _label_turned,
            "The place is right, the label is turned: 1 says that the object was missed here, 0 "
            "that there is none.",
        ),
        Misconception(
            "larger sort, not larger region",
            _in_the_larger_sort,
            "You first asked whether more pixels were missed or taken in wrongly. But one click "
            "mends one region: compare connected regions of both sorts (ndimage.label).",
        ),
        Misconception(
            "both sorts in one",
            lambda predicted, truth: _deepest(_largest(predicted ^ truth), truth),
            "You labelled all wrong pixels together: where a missed part touches one that was "
            "taken in, they become one region, and no single click mends both. Label each sort "
            "by itself.",
        ),
        Misconception(
            "corners connect",
            lambda predicted, truth: _deepest(
                _largest(truth & ~predicted, predicted & ~truth, structure=np.ones((3, 3))), truth
            ),
            "You joined pixels that touch at a corner only. Regions are connected along edges, "
            "which is what ndimage.label does unless it is told otherwise.",
        ),
        Misconception(
            "the image's edge is no outside",
            lambda predicted, truth: _deepest(
                _largest(truth & ~predicted, predicted & ~truth), truth, border=0
            ),
            "You measured depth to other pixels only, so a region at the edge of the image seems "
            "deepest right there. Beyond the edge is outside too: np.pad(region, 1) first.",
        ),
        Misconception(
            "centre of mass",
            _in_the_centroid,
            "You took the mean of the region's pixels. Of an L or a ring that lies at its edge, or "
            "outside. Take the pixel with the largest distance to everything outside "
            "(ndimage.distance_transform_edt).",
        ),
        Misconception(
            "first wrong pixel",
            _first_of_all,
            "You clicked the first pixel that is wrong: it lies on an edge, perhaps of a speck. "
            "Take the middle of the largest region.",
        ),
        Misconception(
            "on the object again",
            lambda predicted, truth: _deepest(_largest(truth), truth),
            "You clicked the middle of the object whatever the mask was, as for a first click. "
            "The next one goes to where the mask is wrong.",
        ),
    ),
)
