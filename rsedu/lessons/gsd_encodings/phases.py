"""Wavelengths, layouts and the GSD to pass, which follow from the encoding: lesson 03."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception

Array = NDArray[Any]


def wavelengths_m(dim: int, patch_px: int, reference_m: float) -> Array:
    """Length on the ground, metres, of one full wave of each of the dim / 4 frequencies."""
    quarter = dim // 4
    omega = 10_000.0 ** (-np.arange(quarter) / quarter)
    return np.asarray(2 * np.pi / omega * patch_px * reference_m)


def _lengths(exponent: Array, patch_px: float, reference_m: float) -> Array:
    return np.asarray(2 * np.pi * 10_000.0**exponent * patch_px * reference_m)


def _k(dim: int) -> Array:
    return np.arange(dim // 4)


WAVELENGTHS = Exercise(
    id="wavelengths_m",
    lesson="03",
    title="How long is a wave?",
    points=3,
    minutes=6,
    difficulty=3,
    reference=wavelengths_m,
    cases=(
        lambda: (16, 8, 10.0),
        lambda: (28, 14, 2.5),
    ),
    misconceptions=(
        Misconception(
            "radians for waves",
            lambda dim, patch_px, reference_m: _lengths(
                _k(dim) / (dim // 4), patch_px / (2 * np.pi), reference_m
            ),
            "This is the length of one radian; a full wave is 2 pi of them.",
        ),
        Misconception(
            "half a wave",
            lambda dim, patch_px, reference_m: _lengths(
                _k(dim) / (dim // 4), patch_px / 2, reference_m
            ),
            "This is the length of half a wave: a sine is back where it was after 2 pi.",
        ),
        Misconception(
            "patch forgotten",
            lambda dim, patch_px, reference_m: _lengths(_k(dim) / (dim // 4), 1, reference_m),
            "You counted in pixels: the position p is the number of the *patch*, and a patch is "
            "patch_px pixels long.",
        ),
        Misconception(
            "reference forgotten",
            lambda dim, patch_px, reference_m: _lengths(_k(dim) / (dim // 4), patch_px, 1),
            "These are wavelengths in pixels of the reference GSD: multiply by G to get metres.",
        ),
        Misconception(
            "dim over two",
            lambda dim, patch_px, reference_m: _lengths(
                _k(dim) / (dim // 2), patch_px, reference_m
            ),
            "Your waves lengthen too slowly: x and y have half of dim each, and half of that are "
            "sines, so k is divided by dim / 4.",
        ),
        Misconception(
            "frequency multiplied",
            lambda dim, patch_px, reference_m: _lengths(
                -_k(dim) / (dim // 4), patch_px, reference_m
            ),
            "Your waves get shorter with k. A lower frequency is a longer wave: divide by omega.",
        ),
    ),
)


def interleaved_order(dim: int) -> Array:
    """Order that makes sine, cosine, sine, cosine of both halves: code[:, order], (dim,) ints."""
    quarter = dim // 4
    one_axis = np.arange(dim // 2).reshape(2, quarter).T.ravel()
    return np.concatenate([one_axis, one_axis + dim // 2])


INTERLEAVED = Exercise(
    id="interleaved_order",
    lesson="03",
    title="Two layouts, one code",
    points=2,
    minutes=5,
    difficulty=2,
    reference=interleaved_order,
    cases=(lambda: (12,), lambda: (28,)),
    misconceptions=(
        Misconception(
            "over both axes",
            lambda dim: np.arange(dim).reshape(2, dim // 2).T.ravel(),
            "You paired x with y: entry 1 is the first number of y. Interleave within each half, "
            "the sines of x with the cosines of x.",
        ),
        Misconception(
            "inverse",
            lambda dim: np.argsort(interleaved_order(dim)),
            "This is the way back, from the formula's layout to the blocks. Wanted is the order "
            "for code[:, order], which says for each new place where its number comes from.",
        ),
        Misconception(
            "cosine first",
            lambda dim: interleaved_order(dim).reshape(-1, 2)[:, ::-1].ravel(),
            "Each pair begins with its cosine; in the formula the even entries are sines.",
        ),
        Misconception(
            "y first",
            lambda dim: np.roll(interleaved_order(dim), dim // 2),
            "The halves changed places: x stays in the first half.",
        ),
        Misconception(
            "left as it was",
            lambda dim: np.arange(dim),
            "This order changes nothing: the second entry has to be the cosine of the first.",
        ),
    ),
    invariants=(
        Invariant(
            "an order names each entry exactly once",
            lambda answer, dim: np.array_equal(np.sort(answer), np.arange(dim)),
        ),
    ),
)


def gsds_to_pass(gsds_m: Array, trained_m: tuple[float, float]) -> Array:
    """All GSDs times one factor, so that their geometric middle is that of the trained range."""
    middle = math.sqrt(gsds_m.min() * gsds_m.max())
    return np.asarray(gsds_m * (math.sqrt(trained_m[0] * trained_m[1]) / middle))


def _plain_middles(gsds_m: Array, trained_m: tuple[float, float]) -> Array:
    return np.asarray(gsds_m * (sum(trained_m) / (gsds_m.min() + gsds_m.max())))


def _squeezed(gsds_m: Array, trained_m: tuple[float, float]) -> Array:
    low, high = trained_m
    share = (gsds_m - gsds_m.min()) / (gsds_m.max() - gsds_m.min())
    return np.asarray(low + share * (high - low))


GSDS_TO_PASS = Exercise(
    id="gsds_to_pass",
    lesson="03",
    title="Which GSD to pass",
    points=3,
    minutes=5,
    difficulty=2,
    reference=gsds_to_pass,
    cases=(
        lambda: (np.array([10.0, 20.0]), (2.24, 5.0)),
        lambda: (np.array([0.3, 0.5, 0.4, 0.6, 0.45]), (1.0, 3.0)),
    ),
    misconceptions=(
        Misconception(
            "clipped",
            lambda gsds_m, trained_m: np.clip(gsds_m, *trained_m),
            "You clipped: images of 10 m and of 20 m now pass for the same pixel size, which is "
            "what the encoding was to prevent. Multiply all of them by one factor.",
        ),
        Misconception(
            "all the same",
            lambda gsds_m, trained_m: np.full(gsds_m.shape, math.sqrt(math.prod(trained_m))),
            "Every image got the middle of the range. Safe, but their ratios are lost: multiply "
            "the true GSDs by one factor instead.",
        ),
        Misconception(
            "plain middle",
            _plain_middles,
            "You used the arithmetic middle. Twice as coarse and half as coarse are equally far, "
            "so the middle is the square root of smallest times largest.",
        ),
        Misconception(
            "squeezed",
            _squeezed,
            "You stretched the smallest onto one end and the largest onto the other; that changes "
            "how many times larger one pixel is than another. One factor for all.",
        ),
        Misconception(
            "divided",
            lambda gsds_m, trained_m: gsds_m**2 / gsds_to_pass(gsds_m, trained_m),
            "You went the wrong way, further out of the range: the factor is the trained middle "
            "over yours.",
        ),
        Misconception(
            "shifted",
            lambda gsds_m, trained_m: (
                gsds_m + math.sqrt(math.prod(trained_m)) - math.sqrt(gsds_m.min() * gsds_m.max())
            ),
            "You added a distance, which changes the ratios (and can fall below 0): multiply.",
        ),
        Misconception(
            "true values",
            lambda gsds_m, trained_m: gsds_m.copy(),
            "These are the true GSDs: right as metres, but outside what the model has seen.",
        ),
    ),
)
