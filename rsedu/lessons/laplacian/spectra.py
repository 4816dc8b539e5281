"""Radial power spectrum, losses by band and the low band's target: exercises of lesson 04."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsedu.course.exercise import Exercise, Invariant, Misconception
from rsedu.lessons.laplacian.detail import coarse, upsample_bilinear

Array = NDArray[Any]


def _square(seed: int, side: int) -> Array:
    return np.random.default_rng(seed).normal(2.0, 1.0, size=(side, side)).round(3)


def _rings(side: int) -> Array:
    cycles = np.fft.fftfreq(side, 1 / side)
    return np.asarray(np.hypot(cycles[:, None], cycles).round().astype(int))


def _ring_sums(values: Array, rings: Array, side: int) -> Array:
    return np.bincount(rings.ravel(), values.ravel())[: side // 2 + 1]


def radial_power(image: Array) -> Array:
    """Power of an N x N image at 0 to N // 2 cycles per image, all directions together."""
    side = len(image)
    power = np.abs(np.fft.fft2(image) / side**2) ** 2
    return _ring_sums(power, _rings(side), side)


def _amplitude(image: Array) -> Array:
    side = len(image)
    return _ring_sums(np.abs(np.fft.fft2(image) / side**2), _rings(side), side)


def _ring_means(image: Array) -> Array:
    side = len(image)
    ones = np.ones((side, side))
    return radial_power(image) / _ring_sums(ones, _rings(side), side)


def _unsigned(image: Array) -> Array:
    side = len(image)
    power = np.abs(np.fft.fft2(image) / side**2) ** 2
    cycles = np.arange(side)
    rings = np.hypot(cycles[:, None], cycles).round().astype(int)
    return _ring_sums(power, rings, side)


def _rows_only(image: Array) -> Array:
    side = len(image)
    power = (np.abs(np.fft.fft(image, axis=1) / side) ** 2).mean(axis=0)
    rings = np.abs(np.fft.fftfreq(side, 1 / side)).astype(int)
    return _ring_sums(power, rings, side)


RADIAL_POWER = Exercise(
    id="radial_power",
    lesson="04",
    title="Power by scale",
    points=3,
    minutes=8,
    difficulty=3,
    reference=radial_power,
    cases=(
        lambda: (np.arange(36.0).reshape(6, 6) ** 2 % 11,),
        lambda: (_square(51, 8),),
        lambda: (_square(52, 11),),
    ),
    invariants=(
        Invariant(
            "there are N // 2 + 1 numbers, none below 0",
            lambda answer, image: len(answer) == len(image) // 2 + 1 and (answer >= 0).all(),
        ),
    ),
    misconceptions=(
        Misconception(
            "amplitude",
            _amplitude,
            "That is amplitude: power is the square of its absolute value, and only squares add "
            "up to the image's mean square.",
        ),
        Misconception(
            "not divided",
            lambda image: len(image) ** 4 * radial_power(image),
            "Divide the transform by N^2 before squaring. Then the power at 0 cycles is the "
            "squared mean of the image, whatever its size.",
        ),
        Misconception(
            "divided after squaring",
            lambda image: len(image) ** 2 * radial_power(image),
            "You divided the power by N^2, not the transform: divide first, then square, so that "
            "the power at 0 cycles is the squared mean of the image.",
        ),
        Misconception(
            "mean of a ring",
            _ring_means,
            "You took the mean of each ring; then wide rings count as little as narrow ones and "
            "the sum is no longer the image's. Sum instead (np.bincount with weights).",
        ),
        Misconception(
            "frequencies without sign",
            _unsigned,
            "fft2 counts upwards and then goes on from below zero: of 8, place 7 holds -1 cycles, "
            "not 7. np.fft.fftfreq(N, 1 / N) gives each place its cycles.",
        ),
        Misconception(
            "along rows only",
            _rows_only,
            "You transformed along one axis, so a road from west to east has no detail at all. "
            "Use fft2, and the distance from 0 in both directions.",
        ),
    ),
)


def band_losses(
    high: Array, high_true: Array, low: Array, low_true: Array, mask: Array
) -> tuple[float, float]:
    """Mean |error| of the high band and mean squared error of the low one, hidden patches only."""
    high_hidden = np.kron(mask, np.ones((high.shape[-1] // mask.shape[-1],) * 2)) > 0
    low_hidden = np.kron(mask, np.ones((low.shape[-1] // mask.shape[-1],) * 2)) > 0
    high_error = np.abs(high - high_true)[:, high_hidden]
    low_error = ((low - low_true) ** 2)[:, low_hidden]
    return float(high_error.mean()), float(low_error.mean())


def _rebuilt(seed: int, bands: int, rows: int, cols: int, patch: int) -> tuple[Array, ...]:
    draw = np.random.default_rng(seed)
    fine, rough = (bands, rows * patch * 2, cols * patch * 2), (bands, rows * patch, cols * patch)
    mask = (draw.permutation(rows * cols) < 0.7 * rows * cols).reshape(rows, cols).astype(float)
    return (*(draw.normal(size=size).round(2) for size in (fine, fine, rough, rough)), mask)


def _both(norm_high: int, norm_low: int, *args: Array) -> tuple[float, float]:
    high, high_true, low, low_true, mask = args
    errors = []
    for made, true, norm in ((high, high_true, norm_high), (low, low_true, norm_low)):
        size = made.shape[-1] // mask.shape[-1]
        hidden = np.kron(mask, np.ones((size, size))) > 0
        errors.append(float((np.abs(made - true) ** norm)[:, hidden].mean()))
    return errors[0], errors[1]


def _scaled(args: tuple[Array, ...], factor: float) -> tuple[float, float]:
    high, low = _both(1, 2, *args)
    return factor * high, factor * low


BAND_LOSSES = Exercise(
    id="band_losses",
    lesson="04",
    title="Two bands, two losses",
    points=3,
    minutes=7,
    difficulty=2,
    reference=band_losses,
    cases=(lambda: _rebuilt(53, 2, 2, 2, 1), lambda: _rebuilt(54, 3, 2, 3, 2)),
    misconceptions=(
        Misconception(
            "everything counted",
            lambda *args: _both(1, 2, *args[:4], np.ones_like(args[4])),
            "Visible patches count too in your losses: a model could then win by copying. Average "
            "over hidden pixels (mask 1) only.",
        ),
        Misconception(
            "visible counted",
            lambda *args: _both(1, 2, *args[:4], 1 - args[4]),
            "You average over the visible patches: in the mask, 1 means hidden.",
        ),
        Misconception(
            "squared twice",
            lambda *args: _both(2, 2, *args),
            "Both errors are squared. The paper takes |error| for the high band: squaring lets a "
            "few bright edges rule, and a blur is then the safest guess.",
        ),
        Misconception(
            "norms swapped",
            lambda *args: _both(2, 1, *args),
            "The norms are swapped: absolute error for the high band, squared for the low one.",
        ),
        Misconception(
            "bands summed",
            lambda *args: _scaled(args, len(args[0])),
            "Your losses grow with the number of bands: the mask has one band, the error several. "
            "The released code does the same. Average over bands as well.",
        ),
        Misconception(
            "divided by all pixels",
            lambda *args: _scaled(args, float(args[4].mean())),
            "You set visible pixels to 0 and then averaged over all of them: divide by the number "
            "of hidden pixels, or the loss falls with the mask ratio and not with the error.",
        ),
    ),
)


def low_target(image: Array, size: int, samples: int) -> Array:
    """The low band of an N x N image: size x size pixels, holding what samples x samples can."""
    n = len(image) // samples
    return upsample_bilinear(image.reshape(samples, n, samples, n).mean(axis=(1, 3)), (size, size))


def _means(image: Array, samples: int) -> Array:
    n = len(image) // samples
    return np.asarray(image.reshape(samples, n, samples, n).mean(axis=(1, 3)))


LOW_TARGET = Exercise(
    id="low_target",
    lesson="04",
    title="Find the turned condition",
    points=3,
    minutes=7,
    difficulty=2,
    reference=low_target,
    cases=(
        lambda: (np.arange(64.0).reshape(8, 8) ** 2 % 23, 4, 2),
        lambda: (_square(55, 24), 12, 3),
        lambda: (_square(56, 20), 10, 5),
        lambda: (_square(57, 12), 6, 6),
    ),
    misconceptions=(
        Misconception(
            "as released",
            lambda image, size, samples: _means(image, size),
            "This is the released code's answer: averaged to the encoder's pixels, and nothing "
            "taken away. When is samples == size true, and is the low-pass needed just then?",
        ),
        Misconception(
            "what was taken away",
            lambda image, size, samples: _means(image, size) - low_target(image, size, samples),
            "That is what the low-pass takes away. The low band is what it leaves.",
        ),
        Misconception(
            "blocks",
            lambda image, size, samples: np.kron(
                _means(image, samples), np.ones((size // samples, size // samples))
            ),
            "You repeated the samples: the edges of blocks are high frequencies again. enlarge() "
            "is linear between them.",
        ),
        Misconception(
            "picked",
            lambda image, size, samples: upsample_bilinear(
                image[:: len(image) // samples, :: len(image) // samples], (size, size)
            ),
            "You picked every n-th pixel: fine detail comes back as false coarse detail. Average "
            "(shrink) first.",
        ),
        Misconception(
            "the wrong end",
            lambda image, size, samples: _means(coarse(image, len(image) // size), size),
            "You low-passed to the encoder's own pixels, which changes next to nothing. Go down "
            "to samples x samples.",
        ),
    ),
)
