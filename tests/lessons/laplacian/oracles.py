"""Oracles of lesson 04: torch's interpolation, the kit's band split, power wave by wave."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from rsedu.models.laplacian import low_pass, resize_area

Array = NDArray[np.float64]


def _shrunk(image: Array, n: int) -> Array:
    rows, cols = image.shape
    return resize_area(torch.from_numpy(image)[None, None], (rows // n, cols // n))[0, 0].numpy()


def _enlarged(image: Array, shape: tuple[int, ...]) -> Array:
    return F.interpolate(torch.from_numpy(image)[None, None], shape, mode="bilinear")[0, 0].numpy()


def _apart(image: Array, levels: int) -> list[Array]:
    if not levels:
        return [image]
    coarse = _shrunk(image, 2)
    return [image - _enlarged(coarse, image.shape), *_apart(coarse, levels - 1)]


def _together(parts: list[Array]) -> Array:
    if len(parts) == 1:
        return parts[0]
    return _enlarged(_together(parts[1:]), parts[0].shape) + parts[0]


def _power(image: Array) -> Array:
    """Compare the image with each plane wave in turn."""
    side = len(image)
    rows, cols = np.mgrid[:side, :side] / side
    half = [cycles - side if cycles > (side - 1) // 2 else cycles for cycles in range(side)]
    out = np.zeros(side // 2 + 1)
    for down in half:
        for right in half:
            ring = round((down * down + right * right) ** 0.5)
            if ring < len(out):
                angle = 2 * np.pi * (down * rows + right * cols)
                cosine, sine = (image * np.cos(angle)).mean(), (image * np.sin(angle)).mean()
                out[ring] += cosine**2 + sine**2
    return out


def _losses(
    high: Array, high_true: Array, low: Array, low_true: Array, mask: Array
) -> tuple[float, float]:
    means = []
    for made, true, power in ((high, high_true, 1), (low, low_true, 2)):
        size = made.shape[-1] // mask.shape[-1]
        errors = [
            abs(made[band, row, col] - true[band, row, col]) ** power
            for band, row, col in np.ndindex(*made.shape)
            if mask[row // size, col // size]
        ]
        means.append(float(sum(errors) / len(errors)))
    return means[0], means[1]


ORACLES = {
    "shrink": _shrunk,
    "take_apart": _apart,
    "put_together": _together,
    "radial_power": _power,
    "band_losses": _losses,
    "low_target": lambda image, size, samples: low_pass(
        torch.from_numpy(image)[None, None], (samples,) * 2, (size,) * 2
    )[0, 0].numpy(),
}
