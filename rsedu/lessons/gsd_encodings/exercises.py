"""Positional encodings by sines, plain and by GSD: exercises of lesson 03.

What follows from the formula (wavelengths, layouts, which GSD to pass) is in `phases`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Misconception
from rsedu.lessons.gsd_encodings.phases import GSDS_TO_PASS, INTERLEAVED, WAVELENGTHS

Array = NDArray[Any]


def sincos_1d(positions: Array, dim: int) -> Array:
    """Sines, then cosines, of (n,) positions at dim / 2 falling frequencies: (n, dim)."""
    half = dim // 2
    omega = 10_000.0 ** (-np.arange(half) / half)
    phase = positions[:, None] * omega
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=1)


def _with_omega(positions: Array, omega: Array) -> Array:
    phase = positions[:, None] * omega
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=1)


def _index(dim: int) -> Array:
    return np.arange(dim // 2)


def _interleaved(positions: Array, dim: int) -> Array:
    code = sincos_1d(positions, dim)
    return np.stack(np.split(code, 2, axis=1), axis=-1).reshape(len(positions), dim)


SINCOS_1D = Exercise(
    id="sincos_1d",
    lesson="03",
    title="Sines of a position",
    points=2,
    minutes=5,
    difficulty=1,
    reference=sincos_1d,
    cases=(
        lambda: (np.array([0.0, 1.0, 2.5]), 8),
        lambda: (np.random.default_rng(31).uniform(0, 14, size=7), 20),
    ),
    misconceptions=(
        Misconception(
            "interleaved",
            _interleaved,
            "Your sines and cosines take turns. That is the layout of the papers' formula; here, "
            "as in released weights, all sines come first and all cosines after them.",
        ),
        Misconception(
            "cosines first",
            lambda positions, dim: np.roll(sincos_1d(positions, dim), dim // 2, axis=1),
            "The halves are swapped: sines come first, then cosines.",
        ),
        Misconception(
            "last frequency included",
            lambda positions, dim: _with_omega(
                positions, 10_000.0 ** (-_index(dim) / (dim // 2 - 1))
            ),
            "Your last frequency is exactly 1/10 000: the exponent was divided by one too few (as "
            "np.linspace or np.logspace do with their end point). Divide k by dim / 2.",
        ),
        Misconception(
            "divided by dim",
            lambda positions, dim: _with_omega(positions, 10_000.0 ** (-_index(dim) / dim)),
            "Your frequencies fall too slowly: there are dim / 2 of them, so the exponent is "
            "-k / (dim / 2), which is -2k / dim.",
        ),
        Misconception(
            "two k over half",
            lambda positions, dim: _with_omega(
                positions, 10_000.0 ** (-2 * _index(dim) / (dim // 2))
            ),
            "Your frequencies fall twice as fast as they should: 2k stands over dim, k over "
            "dim / 2. You have 2k over dim / 2.",
        ),
        Misconception(
            "rising frequencies",
            lambda positions, dim: _with_omega(positions, 10_000.0 ** (_index(dim) / (dim // 2))),
            "Your frequencies rise to thousands of radians per step: the exponent needs a minus.",
        ),
    ),
)


def grid_code(x_codes: Array, y_codes: Array) -> Array:
    """Codes of (cols, d) columns and (rows, d) rows -> (rows * cols, 2 d), x in the first half."""
    rows, cols, d = len(y_codes), len(x_codes), x_codes.shape[1]
    x = np.broadcast_to(x_codes[None, :, :], (rows, cols, d))
    y = np.broadcast_to(y_codes[:, None, :], (rows, cols, d))
    return np.concatenate([x, y], axis=2).reshape(rows * cols, 2 * d)


def _column_by_column(x_codes: Array, y_codes: Array) -> Array:
    return np.array([[*x, *y] for x in x_codes for y in y_codes])


def _codes(seed: int, cols: int, rows: int, d: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    return draw.uniform(-1, 1, size=(cols, d)), draw.uniform(-1, 1, size=(rows, d))


GRID_CODE = Exercise(
    id="grid_code",
    lesson="03",
    title="A code for every patch",
    points=3,
    minutes=6,
    difficulty=2,
    reference=grid_code,
    cases=(
        lambda: (np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]), np.array([[7.0, 8.0], [9.0, 10]])),
        lambda: _codes(32, 5, 4, 6),
        lambda: _codes(33, 2, 7, 4),
    ),
    misconceptions=(
        Misconception(
            "y first",
            lambda x_codes, y_codes: np.roll(grid_code(x_codes, y_codes), x_codes.shape[1], axis=1),
            "The halves are swapped. Row before column is how arrays are indexed, but the released "
            "weights were trained with x (the column) in the first half, whatever the variable "
            "names in their code say.",
        ),
        Misconception(
            "column by column",
            _column_by_column,
            "Your tokens run down the columns. Patches are cut row by row: the second token is the "
            "next patch to the right, so x changes fastest.",
        ),
        Misconception(
            "rows upwards",
            lambda x_codes, y_codes: grid_code(x_codes, y_codes[::-1]),
            "Your first token carries the last row: row 0 is at the top of an image.",
        ),
        Misconception(
            "added",
            lambda x_codes, y_codes: (y_codes[:, None] + x_codes[None]).reshape(
                -1, x_codes.shape[1]
            ),
            "You added the two codes: then (row 1, col 2) and (row 2, col 1) can't be told apart. "
            "Put them side by side.",
        ),
        Misconception(
            "alternating",
            lambda x_codes, y_codes: (
                grid_code(x_codes, y_codes)
                .reshape(-1, 2, x_codes.shape[1])
                .swapaxes(1, 2)
                .reshape(-1, 2 * x_codes.shape[1])
            ),
            "Your x and y take turns, number by number; keep each code in one piece.",
        ),
    ),
)


def gsd_phases(gsds_m: Array, length: int, dim: int, reference_m: float) -> Array:
    """(g/G) p omega_k, radians: (images, length, dim / 2) for (images,) GSDs in metres."""
    omega = 10_000.0 ** (-np.arange(dim // 2) / (dim // 2))
    positions = gsds_m[:, None] / reference_m * np.arange(length)
    return np.asarray(positions[:, :, None] * omega)


def _frequency_index(gsds_m: Array, length: int, dim: int, reference_m: float) -> Array:
    k = np.arange(dim // 2) / (dim // 2)
    omega = 10_000.0 ** (-(gsds_m[:, None] / reference_m) * k)
    return np.asarray(np.arange(length)[None, :, None] * omega[:, None, :])


GSD_PHASES = Exercise(
    id="gsd_phases",
    lesson="03",
    title="Positions in metres",
    points=3,
    minutes=6,
    difficulty=2,
    reference=gsd_phases,
    cases=(
        lambda: (np.array([5.0, 40.0]), 4, 8, 10.0),
        lambda: (np.array([0.6, 2.24, 5.0, 30.0]), 7, 12, 2.5),
    ),
    misconceptions=(
        Misconception(
            "frequency index",
            _frequency_index,
            "You multiplied the frequency index k by g/G, which bends each frequency by another "
            "power. The GSD stretches the ground: multiply the position p.",
        ),
        Misconception(
            "reference over gsd",
            lambda gsds_m, length, dim, reference_m: gsd_phases(
                1 / gsds_m, length, dim, 1 / reference_m
            ),
            "You have G/g. A larger pixel is a longer step on the ground, so the phase must grow "
            "with g: g/G.",
        ),
        Misconception(
            "gsd ignored",
            lambda gsds_m, length, dim, reference_m: gsd_phases(
                np.full(gsds_m.shape, reference_m), length, dim, reference_m
            ),
            "All images have the same phases: this is the plain encoding. Multiply the position by "
            "g/G of each image.",
        ),
        Misconception(
            "reference ignored",
            lambda gsds_m, length, dim, reference_m: gsd_phases(gsds_m, length, dim, 1.0),
            "Your steps are g, not g/G: divide by the reference GSD, so that g = G gives back the "
            "plain encoding.",
        ),
        Misconception(
            "first image only",
            lambda gsds_m, length, dim, reference_m: gsd_phases(
                np.full(gsds_m.shape, gsds_m[0]), length, dim, reference_m
            ),
            "Each image got the GSD of the first one. A batch may mix pixel sizes: keep the axis "
            "of the images.",
        ),
        Misconception(
            "added",
            lambda gsds_m, length, dim, reference_m: (
                gsd_phases(np.full(gsds_m.shape, reference_m), length, dim, reference_m)
                + (gsds_m / reference_m)[:, None, None]
            ),
            "You added g/G: that shifts all patches alike and leaves the distance between them as "
            "it was. Multiply.",
        ),
        Misconception(
            "squared",
            lambda gsds_m, length, dim, reference_m: gsd_phases(
                gsds_m**2, length, dim, reference_m**2
            ),
            "Your step grows with the area of a pixel, (g/G) squared; a distance grows with its "
            "side.",
        ),
    ),
)

EXERCISES = (SINCOS_1D, GRID_CODE, GSD_PHASES, WAVELENGTHS, INTERLEAVED, GSDS_TO_PASS)
