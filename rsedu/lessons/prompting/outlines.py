"""Those of lesson 06 on outlines: by how much a mask is too large, and where to click next."""

import math
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


def _bias_by_pixels(predicted: Array, truth: Array, outline_px: float, gsd_m: float) -> float:
    """Square metres, pixel by pixel, and a strip of that area along the outline."""
    square_m = 0.0
    for ours, theirs in zip(predicted.ravel(), truth.ravel(), strict=True):
        if ours and not theirs:
            square_m += gsd_m * gsd_m
        if theirs and not ours:
            square_m -= gsd_m * gsd_m
    return square_m / (gsd_m * outline_px)


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
    oracle=_bias_by_pixels,
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


def next_click(predicted: Array, truth: Array) -> Click:
    """(col, row, label) of the deepest pixel of the largest region that is wrong."""
    regions = []
    for label, wrong in ((1, truth & ~predicted), (0, predicted & ~truth)):
        numbers, count = ndimage.label(wrong)
        regions += [(numbers == number, label) for number in range(1, count + 1)]
    region, label = max(regions, key=lambda each: int(each[0].sum()))
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    row, col = np.unravel_index(depth.argmax(), depth.shape)
    return int(col), int(row), label


def _neighbours(row: int, col: int) -> list[tuple[int, int]]:
    return [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]


def _regions(wrong: Array) -> list[set[tuple[int, int]]]:
    """Connected pixels, one by one."""
    left, found = {at for at, there in np.ndenumerate(wrong) if there}, []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            at = edge.pop()
            region.add(at)
            edge += [near for near in _neighbours(*at) if near in left]
            left -= set(edge)
        found.append(region)
    return found


def _deepest(region: set[tuple[int, int]]) -> tuple[int, int]:
    """The pixel whose nearest pixel outside is furthest; the first of equals."""
    outside = {near for at in region for near in _neighbours(*at)} - region
    depths = {at: min(math.dist(at, other) for other in outside) for at in sorted(region)}
    return max(depths, key=lambda at: round(depths[at], 9))


def _click_by_pixels(predicted: Array, truth: Array) -> Click:
    missed, extra = _regions(truth & ~predicted), _regions(predicted & ~truth)
    largest = max((*missed, *extra), key=len)
    row, col = _deepest(largest)
    return col, row, int(largest in missed)


def _in_the_larger_sort(predicted: Array, truth: Array) -> Click:
    missed, extra = truth & ~predicted, predicted & ~truth
    label = int(missed.sum() > extra.sum())
    row, col = _deepest(max(_regions(missed if label else extra), key=len))
    return col, row, label


def _in_the_centroid(predicted: Array, truth: Array) -> Click:
    missed, extra = _regions(truth & ~predicted), _regions(predicted & ~truth)
    largest = max((*missed, *extra), key=len)
    row, col = np.mean(list(largest), axis=0)
    return round(float(col)), round(float(row)), int(largest in missed)


def _first_of_all(predicted: Array, truth: Array) -> Click:
    row, col = np.argwhere(predicted ^ truth)[0]
    return int(col), int(row), int(truth[row, col])


def _on_the_object(predicted: Array, truth: Array) -> Click:
    row, col = _deepest(max(_regions(truth), key=len))
    return col, row, 1


def _changed(predicted: Array, truth: Array, order: tuple[int, ...], turned: bool) -> Click:
    found = _click_by_pixels(predicted, truth)
    col, row = found[order[0]], found[order[1]]
    return col, row, 1 - found[2] if turned else found[2]


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


def _labelled(predicted: Array, truth: Array, *, corners: bool, together: bool) -> Click:
    """The deepest pixel of the largest region, where regions are made in other ways."""
    sorts = (predicted ^ truth,) if together else (truth & ~predicted, predicted & ~truth)
    regions = []
    for wrong in sorts:
        numbers, count = ndimage.label(wrong, np.ones((3, 3)) if corners else None)
        regions += [numbers == number for number in range(1, count + 1)]
    region = max(regions, key=lambda each: int(each.sum()))
    row, col = _deepest({(int(at[0]), int(at[1])) for at in np.argwhere(region)})
    return col, row, int(truth[row, col])


def _without_border(predicted: Array, truth: Array) -> Click:
    """Depth measured without a border round the image: its edge is no outside."""
    missed, extra = _regions(truth & ~predicted), _regions(predicted & ~truth)
    largest = max((*missed, *extra), key=len)
    region = np.zeros(truth.shape, dtype=bool)
    region[tuple(np.array(sorted(largest)).T)] = True
    row, col = np.unravel_index(ndimage.distance_transform_edt(region).argmax(), region.shape)
    return int(col), int(row), int(largest in missed)


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
    oracle=_click_by_pixels,
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
            lambda predicted, truth: _changed(predicted, truth, (1, 0), False),
            "You gave (row, col), the order of array indices. A click is (col, row): x first.",
        ),
        Misconception(
            "label turned",
            lambda predicted, truth: _changed(predicted, truth, (0, 1), True),
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
            lambda predicted, truth: _labelled(predicted, truth, corners=False, together=True),
            "You labelled all wrong pixels together: where a missed part touches one that was "
            "taken in, they become one region, and no single click mends both. Label each sort "
            "by itself.",
        ),
        Misconception(
            "corners connect",
            lambda predicted, truth: _labelled(predicted, truth, corners=True, together=False),
            "You joined pixels that touch at a corner only. Regions are connected along edges, "
            "which is what ndimage.label does unless it is told otherwise.",
        ),
        Misconception(
            "the image's edge is no outside",
            _without_border,
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
            _on_the_object,
            "You clicked the middle of the object whatever the mask was, as for a first click. "
            "The next one goes to where the mask is wrong.",
        ),
    ),
)
