"""Percentile stretch, box prompt and IoU: exercises of lesson 06; outlines are in `outlines`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.prompting.outlines import BIAS, NEXT_CLICK

Array = NDArray[Any]


def percentile_stretch(band: Array) -> Array:
    """(rows, cols) of any unit -> 8 bits: 2nd percentile 0, 98th 255, clipped, rounded, NaN 0."""
    low, high = np.nanpercentile(band, [2, 98])
    scaled = np.clip((band - low) / (high - low), 0, 1)
    return np.asarray(np.round(255 * np.nan_to_num(scaled))).astype(np.uint8)


def _between(band: Array, low: float, high: float) -> Array:
    scaled = np.clip((band - low) / (high - low), 0, 1)
    return np.asarray(np.round(255 * np.nan_to_num(scaled))).astype(np.uint8)


def _by_extremes(band: Array) -> Array:
    return _between(band, float(np.nanmin(band)), float(np.nanmax(band)))


def _by_share_of_range(band: Array) -> Array:
    low, high = float(np.nanmin(band)), float(np.nanmax(band))
    margin = 0.02 * (high - low)
    return _between(band, low + margin, high - margin)


def _from_zero(band: Array) -> Array:
    return _between(band, 0.0, float(np.nanpercentile(band, 98)))


def _wrapped(band: Array) -> Array:
    low, high = np.nanpercentile(band, [2, 98])
    steps = np.round(255 * np.nan_to_num((band - low) / (high - low)))
    return np.asarray(steps.astype(np.int64) % 256).astype(np.uint8)


def _cut_off(band: Array) -> Array:
    low, high = np.nanpercentile(band, [2, 98])
    scaled = np.clip((band - low) / (high - low), 0, 1)
    return np.asarray(255 * np.nan_to_num(scaled)).astype(np.uint8)


def _upside_down(band: Array) -> Array:
    low, high = np.nanpercentile(band, [2, 98])
    return _between(band, float(high), float(low))


def _reflectance(seed: int, shape: tuple[int, int], holes: int) -> Array:
    draw = np.random.default_rng(seed)
    band = draw.gamma(3.0, 0.03, shape).round(4)
    band.ravel()[draw.permutation(band.size)[:holes]] = np.nan
    return np.asarray(band)


STRETCH = Exercise(
    id="percentile_stretch",
    lesson="06",
    title="Reflectance for a model of photographs",
    points=2,
    minutes=6,
    difficulty=1,
    reference=percentile_stretch,
    cases=(
        lambda: (
            np.array(
                [[0.03, 0.05, 0.04, 0.06], [0.08, np.nan, 0.07, 0.02], [0.05, 0.3, 0.1, 0.04]]
            ),
        ),
        lambda: (_reflectance(71, (9, 7), 0),),
        lambda: (_reflectance(72, (13, 5), 6),),
    ),
    misconceptions=(
        Misconception(
            "smallest and largest",
            _by_extremes,
            "You stretched from the smallest to the largest value: a single bright roof or cloud "
            "then leaves a few grey levels for everything else. Take the 2nd and 98th percentile.",
        ),
        Misconception(
            "2 per cent of the range",
            _by_share_of_range,
            "You cut 2 per cent off the range of values, not off the pixels: one outlier still "
            "decides. A percentile counts pixels: np.nanpercentile(band, [2, 98]).",
        ),
        Misconception(
            "starts at zero",
            _from_zero,
            "Your black is reflectance 0, not the 2nd percentile: haze lifts every pixel, and the "
            "dark half of the picture stays empty. Subtract the low end first.",
        ),
        Misconception(
            "not clipped",
            _wrapped,
            "You did not clip: beyond the ends 8 bits start anew, so 256 becomes 0 and the "
            "brightest pixels turn black. Clip to 0 ... 1 before you scale.",
        ),
        Misconception(
            "not rounded",
            _cut_off,
            "astype(np.uint8) cuts the decimals off, so everything is half a step too dark: round "
            "first, np.round(255 * ...).",
        ),
        Misconception(
            "percentile of NaN",
            lambda band: (
                np.zeros(band.shape, dtype=np.uint8)
                if np.isnan(band).any()
                else percentile_stretch(band)
            ),
            "One missing pixel makes np.percentile NaN, and with it the whole picture black: use "
            "np.nanpercentile, and set the missing pixel itself to 0.",
        ),
        Misconception(
            "upside down",
            _upside_down,
            "Bright and dark are exchanged: the 2nd percentile is black, the 98th white.",
        ),
    ),
)


def box_of_mask(mask: Array) -> tuple[int, int, int, int]:
    """(rows, cols) bool -> (left, top, right, bottom) in edges of pixels."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1


def _changed(mask: Array, order: tuple[int, ...] = (0, 1, 2, 3), less: int = 0) -> Any:
    box = box_of_mask(mask)
    ends = (box[0], box[1], box[2] - less, box[3] - less)
    return tuple(ends[at] for at in order)


def _with_size(mask: Array) -> tuple[int, int, int, int]:
    left, top, right, bottom = box_of_mask(mask)
    return left, top, right - left, bottom - top


def _first_run(mask: Array) -> tuple[int, int, int, int]:
    """Ends at the first empty row and column: what lies beyond a gap is lost."""
    left, top, right, bottom = box_of_mask(mask)
    rows, cols = np.asarray(mask.any(axis=1)), np.asarray(mask.any(axis=0))
    while not rows[top:bottom].all():
        bottom -= 1
    while not cols[left:right].all():
        right -= 1
    return left, top, right, bottom


def _blob(seed: int, shape: tuple[int, int]) -> Array:
    row, col = np.indices(shape)
    middle = np.random.default_rng(seed).uniform(0.35, 0.65, 2) * shape
    return np.asarray(((row - middle[0]) / 3.2) ** 2 + ((col - middle[1]) / 4.6) ** 2 < 1)


def _two_parts() -> Array:
    mask = np.zeros((7, 9), dtype=bool)
    mask[1:3, 2:4] = mask[4, 6:8] = True
    return mask


BOX = Exercise(
    id="box_of_mask",
    lesson="06",
    title="The box around a mask",
    points=1,
    minutes=4,
    difficulty=1,
    reference=box_of_mask,
    cases=(
        lambda: (_two_parts(),),
        lambda: (_blob(73, (15, 21)),),
    ),
    invariants=(
        Invariant(
            "a box has four numbers, with left < right and top < bottom",
            lambda box, mask: len(box) == 4,
        ),
    ),
    misconceptions=(
        Misconception(
            "rows first",
            lambda mask: _changed(mask, (1, 0, 3, 2)),
            "You gave (top, left, bottom, right), the order of array indices. Boxes are written "
            "x first: left and right are columns.",
        ),
        Misconception(
            "last pixel, not its edge",
            lambda mask: _changed(mask, less=1),
            "Your box ends at the left and upper edge of the last pixel, so that pixel is outside: "
            "in edges of pixels the last column ends at its index + 1.",
        ),
        Misconception(
            "width and height",
            _with_size,
            "Your last two numbers are width and height. SAM wants corners: right and bottom.",
        ),
        Misconception(
            "pairs of rows and columns",
            lambda mask: _changed(mask, (0, 2, 1, 3)),
            "You gave (left, right, top, bottom). It takes two corners: (left, top), then (right, "
            "bottom).",
        ),
        Misconception(
            "stops at a gap",
            _first_run,
            "You stopped at the first empty row or column: a mask may have several parts, and the "
            "box holds them all. Look for the last row that has any pixel.",
        ),
    ),
)


def iou(predicted: Array, truth: Array) -> float:
    """Pixels in both over pixels in either, 0 to 1."""
    return float((predicted & truth).sum() / (predicted | truth).sum())


def _shared(predicted: Array, truth: Array) -> tuple[float, float, float]:
    return float((predicted & truth).sum()), float(predicted.sum()), float(truth.sum())


def _dice(predicted: Array, truth: Array) -> float:
    both, ours, theirs = _shared(predicted, truth)
    return 2 * both / (ours + theirs)


def _over_sum(predicted: Array, truth: Array) -> float:
    both, ours, theirs = _shared(predicted, truth)
    return both / (ours + theirs)


def _of_disc(at: tuple[float, float], radius: float, shape: tuple[int, int]) -> Array:
    row, col = np.indices(shape)
    return np.asarray(np.hypot(row - at[0], col - at[1]) < radius)


def _squares() -> tuple[Array, Array]:
    predicted, truth = np.zeros((2, 6, 8), dtype=bool)
    predicted[1:5, 1:5], truth[2:5, 2:7] = True, True
    return predicted, truth


IOU = Exercise(
    id="iou",
    lesson="06",
    title="Intersection over union",
    points=2,
    minutes=4,
    difficulty=1,
    reference=iou,
    cases=(
        _squares,
        lambda: (_of_disc((8, 9), 5.5, (17, 21)), _of_disc((7, 11), 4.5, (17, 21))),
        lambda: (_of_disc((5, 5), 3.0, (11, 19)), _of_disc((5, 6), 5.0, (11, 19))),
    ),
    invariants=(
        Invariant("it lies between 0 and 1", lambda share, predicted, truth: 0 <= share <= 1),
    ),
    misconceptions=(
        Misconception(
            "Dice",
            _dice,
            "This is the Dice score, 2 |A and B| / (|A| + |B|): it is larger than the IoU wherever "
            "the masks differ. Divide by the union.",
        ),
        Misconception(
            "sum instead of union",
            _over_sum,
            "You divided by |A| + |B|, which counts the shared pixels twice: two equal masks would "
            "get 0.5. The union counts each pixel once.",
        ),
        Misconception(
            "share of equal pixels",
            lambda predicted, truth: float((predicted == truth).mean()),
            "You counted all pixels that agree, and most of them are background that nobody asked "
            "about: an empty mask would do well. Only pixels in either mask count.",
        ),
        Misconception(
            "divided by the truth",
            lambda predicted, truth: _shared(predicted, truth)[0] / _shared(predicted, truth)[2],
            "You divided by the truth alone (recall): a mask of the whole image would get 1. "
            "Divide by the union.",
        ),
        Misconception(
            "divided by the mask",
            lambda predicted, truth: _shared(predicted, truth)[0] / _shared(predicted, truth)[1],
            "You divided by the mask alone (precision): a single right pixel would get 1. Divide "
            "by the union.",
        ),
        Misconception(
            "smaller over larger",
            lambda predicted, truth: (
                min(predicted.sum(), truth.sum()) / max(predicted.sum(), truth.sum())
            ),
            "You compared two areas: masks of one size in different places would get 1. Count the "
            "pixels that both share.",
        ),
    ),
)

EXERCISES = (STRETCH, BOX, IOU, BIAS, NEXT_CLICK)
