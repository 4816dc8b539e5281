"""Light and clouds over the synthetic frontier; only optical sensors notice."""

import numpy as np
from jaxtyping import Float32

from rsedu.synthetic.land_cover import CLOUD
from rsedu.synthetic.random_fields import COARSE_M, coarse_noise, tiled

_MOISTURE = ((3.0, 0.4), (12.0, 1.0))  # (smoothness in cells of 20 m, weight)
_CLOUDS = ((4.0, 0.25), (12.0, 1.0), (30.0, 1.0))
_LIGHT = np.float32(0.05)  # deviation of brightness over kilometres
_SHADOW = np.float32(0.55)  # share of the light that a cloud takes from its shadow
_SHADOW_CELLS = (18, -14)  # where shadows fall, in cells of 20 m: 360 m south and 280 m west
_CLOUD_EDGE = np.float32(0.5)  # how much denser a cloud gets from clear to thick
# How bands answer to a moister canopy: more near infrared, less shortwave infrared.
_MOIST = np.array([0, 0, 0, 0, 0, 0.04, 0.05, 0.05, 0.05, 0.05, -0.06, -0.08], dtype=np.float32)


def stamp(date: float) -> int:
    """A whole number per day, so that each day has clouds and speckle of its own."""
    return round(date * 365)


def light(
    seed: int, level_m: float, rows: slice, cols: slice
) -> Float32[np.ndarray, "bands rows cols"]:
    """Factors on reflectance: slow changes of illumination, and of moisture beyond 0.7 um.

    Args:
        seed: which place.
        level_m: side of a pixel, 2.5, 5, 10 or 20 m.
        rows: pixels from the north, step 1.
        cols: pixels from the west, step 1.
    """
    bright = coarse_noise(12, _MOISTURE, level_m, rows, cols, shift=53 * seed)
    moist = coarse_noise(13, _MOISTURE, level_m, rows, cols, shift=71 * seed)
    factor = 1 + _LIGHT * bright + _MOIST[:, None, None] * moist
    return np.asarray(np.maximum(factor, np.float32(0.3)))


def opacity(
    place: tuple[int, float],
    date: float,
    cover: float,
    level_m: float,
    rows: slice,
    cols: slice,
    *,
    moved: tuple[int, int] = (0, 0),
) -> Float32[np.ndarray, "rows cols"]:
    """How much of the ground clouds hide: 0 clear, 1 under thick cloud.

    Args:
        place: seed and side in metres.
        date: decimal year.
        cover: share of the place over which it exceeds 0.5.
        level_m: side of a pixel, 2.5, 5, 10 or 20 m.
        rows: pixels from the north, step 1.
        cols: pixels from the west, step 1.
        moved: how far the clouds are moved, in cells of 20 m to the south and to the east.
    """
    if cover in (0.0, 1.0):
        return np.full((rows.stop - rows.start, cols.stop - cols.start), cover, dtype=np.float32)
    seed, size_m = place
    moment = (seed * 1009 + stamp(date)) % 100_003
    side = slice(0, round(size_m / COARSE_M))
    edge = np.float32(np.quantile(tiled(14, _CLOUDS, side, side, shift=moment), 1 - cover))
    density = coarse_noise(14, _CLOUDS, level_m, rows, cols, shift=moment, moved=moved)
    return np.asarray(np.clip(0.5 + (density - edge) / _CLOUD_EDGE, 0, 1))


def under_clouds(
    bands: Float32[np.ndarray, "bands rows cols"],
    place: tuple[int, float],
    date: float,
    cover: float,
    level_m: float,
    rows: slice,
    cols: slice,
) -> Float32[np.ndarray, "bands rows cols"]:
    """Reflectance with clouds and their shadows on it; the arguments are those of `opacity`."""
    if cover == 0:
        return bands
    clouds = opacity(place, date, cover, level_m, rows, cols)
    shade = opacity(place, date, cover, level_m, rows, cols, moved=_SHADOW_CELLS)
    return np.asarray(bands * (1 - _SHADOW * shade) * (1 - clouds) + CLOUD[:, None, None] * clouds)
