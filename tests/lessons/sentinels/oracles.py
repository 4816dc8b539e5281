"""Oracles of lesson 01: closed forms, and other libraries' pixels, variation and blocks."""

import numpy as np
from einops import reduce
from numpy.typing import NDArray
from rasterio.transform import rowcol
from scipy.stats import variation


def _multilook(power: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    rows, cols = (side - side % n for side in power.shape)
    return reduce(power[:rows, :cols], "(r y) (c x) -> r c", "mean", y=n, x=n)


ORACLES = {
    "reflectance": lambda dn, baseline: np.where(dn, 1e-4 * dn - 0.1 * (baseline >= 4), np.nan),
    "ndvi": lambda red, nir: 1 - 2 * red / (nir + red),
    "equivalent_looks": lambda power: float(1 / variation(power, axis=None) ** 2),
    "multilook": _multilook,
    "pixel_of": lambda x, y, transform: tuple(map(int, rowcol(transform, x, y))),
    "hectares": lambda mask, gsd_m: float(np.count_nonzero(mask) * (gsd_m / 100) ** 2),
}
