"""Reflectance, NDVI, map coordinates and hectares: exercises of lesson 01; radar in `speckle`."""

import math
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.sentinels.speckle import EQUIVALENT_LOOKS, MULTILOOK

Array = NDArray[Any]


def _dn_fixed(baseline: float) -> tuple[Any, ...]:
    return np.array([[0, 500, 1000], [1850, 4000, 11000]], dtype=np.uint16), baseline


def _dn_unseen(baseline: float) -> tuple[Any, ...]:
    numbers = np.random.default_rng(11).integers(1, 12_000, size=(5, 8)).astype(np.uint16)
    numbers[2, 3] = 0
    return numbers, baseline


def reflectance(dn: Array, baseline: float) -> Array:
    """Surface reflectance of (rows, cols) digital numbers; NaN where they are 0."""
    offset = -1000 if baseline >= 4 else 0
    values = (dn.astype(np.float32) + offset) / 10_000
    return np.where(dn == 0, np.nan, values)


def _with_offset(dn: Array, offset: float) -> Array:
    return np.where(dn == 0, np.nan, (dn.astype(np.float32) + offset) / 10_000)


def _wrapped(dn: Array, baseline: float) -> Array:
    shifted = dn - np.uint16(1000) if baseline >= 4 else dn
    return np.where(dn == 0, np.nan, shifted / np.float32(10_000))


REFLECTANCE = Exercise(
    id="reflectance",
    lesson="01",
    title="From digital numbers to reflectance",
    points=2,
    minutes=4,
    difficulty=1,
    reference=reflectance,
    cases=(
        lambda: _dn_fixed(5.09),
        lambda: _dn_fixed(2.06),
        lambda: _dn_fixed(4.0),
        lambda: _dn_unseen(5.11),
        lambda: _dn_unseen(3.01),
    ),
    misconceptions=(
        Misconception(
            "offset after 04.00 only",
            lambda dn, baseline: _with_offset(dn, -1000 if baseline > 4 else 0),
            "Baseline 04.00 itself has the offset too: compare with >=, not >.",
        ),
        Misconception(
            "offset forgotten",
            lambda dn, baseline: _with_offset(dn, 0),
            "The offset is missing: from baseline 04.00 on, 1000 was added to each digital number, "
            "so take it away before you divide.",
        ),
        Misconception(
            "offset always",
            lambda dn, baseline: _with_offset(dn, -1000),
            "You take 1000 away from every product, but before baseline 04.00 nothing was added.",
        ),
        Misconception(
            "offset added",
            lambda dn, baseline: _with_offset(dn, 1000 if baseline >= 4 else 0),
            "The offset has the wrong sign: it is -1000, so that what was added goes away again.",
        ),
        Misconception(
            "offset after scaling",
            lambda dn, baseline: np.where(
                dn == 0, np.nan, dn / 10_000 - (1000 if baseline >= 4 else 0)
            ),
            "The offset is in digital numbers: take it away before you divide by 10 000.",
        ),
        Misconception(
            "unsigned wrap",
            _wrapped,
            "Your dark pixels came out near 6.5: unsigned numbers have no minus, so 500 - 1000 "
            "wraps round to 65 036. Convert to float32 before you subtract.",
        ),
        Misconception(
            "not scaled",
            lambda dn, baseline: 10_000 * reflectance(dn, baseline),
            "These are still digital numbers: divide by 10 000 to get a share of the sunlight.",
        ),
        Misconception(
            "no data kept",
            lambda dn, baseline: (
                (dn.astype(np.float32) - (1000 if baseline >= 4 else 0)) / np.float32(10_000)
            ),
            "A digital number of 0 means that nothing was measured; it has to become NaN, or it "
            "will pass for a very dark surface.",
        ),
    ),
)


def _two_bands(seed: int, shape: tuple[int, int]) -> tuple[Any, ...]:
    draw = np.random.default_rng(seed).uniform(0.01, 0.6, size=(2, *shape))
    return draw[0], draw[1]


def ndvi(red: Array, nir: Array) -> Array:
    """Normalised difference vegetation index of two (rows, cols) reflectances, -1 to 1."""
    return np.asarray((nir - red) / (nir + red))


NDVI = Exercise(
    id="ndvi",
    lesson="01",
    title="NDVI",
    points=2,
    minutes=3,
    difficulty=1,
    reference=ndvi,
    cases=(
        lambda: (np.array([[0.03, 0.2], [0.05, 0.1]]), np.array([[0.4, 0.25], [0.02, 0.1]])),
        lambda: _two_bands(12, (4, 7)),
    ),
    misconceptions=(
        Misconception(
            "bands swapped",
            lambda red, nir: (red - nir) / (red + nir),
            "Near-infrared and red are swapped: your forest would have a negative index.",
        ),
        Misconception(
            "no brackets",
            lambda red, nir: nir - red / nir + red,
            "Division binds tighter than plus and minus, so this divides red by near-infrared "
            "only: put brackets round the difference and round the sum.",
        ),
        Misconception(
            "bracket on top only",
            lambda red, nir: (nir - red) / nir + red,
            "The sum needs brackets too: as it stands you divide by near-infrared and add red.",
        ),
        Misconception(
            "not normalised",
            lambda red, nir: nir - red,
            "This is the difference alone; divide it by the sum, or shadow halves the index.",
        ),
        Misconception(
            "plain ratio",
            lambda red, nir: nir / red,
            "This is the simple ratio of the bands; NDVI divides their difference by their sum, "
            "which keeps it between -1 and 1.",
        ),
    ),
    invariants=(
        Invariant(
            "an index of reflectances above 0 lies between -1 and 1",
            lambda answer, red, nir: np.all(np.abs(answer) <= 1 + 1e-6),
        ),
    ),
)


def _place(col_m: int, row_m: int, gsd_m: float) -> tuple[Any, ...]:
    west, north = 600_000, 800_000
    return west + col_m, north - row_m, Affine(gsd_m, 0, west, 0, -gsd_m, north)


def pixel_of(x: float, y: float, transform: Affine) -> tuple[int, int]:
    """(row, col) of the pixel that contains a map coordinate in metres."""
    col = math.floor((x - transform.c) / transform.a)
    row = math.floor((y - transform.f) / transform.e)
    return row, col


PIXEL_OF = Exercise(
    id="pixel_of",
    lesson="01",
    title="From map to pixel",
    points=3,
    minutes=5,
    difficulty=2,
    reference=pixel_of,
    cases=(
        lambda: _place(47, 22, 10.0),
        lambda: _place(1188, 333, 20.0),
        lambda: _place(0, 0, 60.0),
    ),
    misconceptions=(
        Misconception(
            "row and column swapped",
            lambda x, y, t: pixel_of(x, y, t)[::-1],
            "Row and column are swapped: x (easting) gives the column, y (northing) the row, and "
            "the answer is (row, col).",
        ),
        Misconception(
            "rows upwards",
            lambda x, y, t: (math.floor((y - t.f) / t.a), pixel_of(x, y, t)[1]),
            "Your row is negative: northings grow upwards and rows downwards. Divide by "
            "transform.e, which is negative.",
        ),
        Misconception(
            "rounded",
            lambda x, y, t: (round((y - t.f) / t.e), round((x - t.c) / t.a)),
            "You round to the nearest corner, which moves half of all points into the next pixel. "
            "A pixel is an area: take the floor.",
        ),
        Misconception(
            "metres, not pixels",
            lambda x, y, t: (math.floor(t.f - y), math.floor(x - t.c)),
            "These are metres from the corner: divide by the size of a pixel.",
        ),
        Misconception(
            "corner forgotten",
            lambda x, y, t: (math.floor(y / t.e), math.floor(x / t.a)),
            "The raster does not start at (0, 0): subtract its corner, transform.c and "
            "transform.f, first.",
        ),
        Misconception(
            "counted from one",
            lambda x, y, t: tuple(index + 1 for index in pixel_of(x, y, t)),
            "One too many: the first row and column have the number 0.",
        ),
        Misconception(
            "not whole",
            lambda x, y, t: ((y - t.f) / t.e, (x - t.c) / t.a),
            "This is a position within the grid, with decimals; the pixel that contains it has "
            "whole numbers: take math.floor of both.",
        ),
    ),
)


def _mask(seed: int, shape: tuple[int, int]) -> Array:
    return np.asarray(np.random.default_rng(seed).random(shape) < 0.3)


def hectares(mask: Array, gsd_m: float) -> float:
    """Area in hectares of the True pixels, each gsd_m metres wide."""
    return float(mask.sum() * gsd_m**2 / 10_000)


HECTARES = Exercise(
    id="hectares",
    lesson="01",
    title="Hectares",
    points=2,
    minutes=3,
    difficulty=1,
    reference=hectares,
    cases=(
        lambda: (np.array([[True, False, True], [False, True, True]]), 20.0),
        lambda: (_mask(18, (7, 12)), 2.5),
        lambda: (_mask(19, (9, 5)), 60.0),
    ),
    misconceptions=(
        Misconception(
            "side, not area",
            lambda mask, gsd_m: mask.sum() * gsd_m / 10_000,
            "You multiplied by the side of a pixel; its area is the side squared.",
        ),
        Misconception(
            "10 m taken for granted",
            lambda mask, gsd_m: mask.sum() / 100,
            "100 pixels to the hectare holds at 10 m only; use gsd_m.",
        ),
        Misconception(
            "square metres",
            lambda mask, gsd_m: mask.sum() * gsd_m**2,
            "These are square metres: a hectare has 10 000 of them.",
        ),
        Misconception(
            "square kilometres",
            lambda mask, gsd_m: mask.sum() * gsd_m**2 / 1e6,
            "These are square kilometres, of 100 hectares each.",
        ),
        Misconception(
            "mean",
            lambda mask, gsd_m: mask.mean() * gsd_m**2 / 10_000,
            "The mean of a mask is a share between 0 and 1; count the True pixels with sum().",
        ),
        Misconception(
            "all pixels",
            lambda mask, gsd_m: mask.size * gsd_m**2 / 10_000,
            "You counted all pixels, whatever the mask says: size is not sum().",
        ),
    ),
)

EXERCISES = (REFLECTANCE, NDVI, EQUIVALENT_LOOKS, MULTILOOK, PIXEL_OF, HECTARES)
