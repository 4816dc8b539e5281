"""Region growing from a click and Otsu's threshold on NDVI: masks that need no learning."""

import math

import numpy as np
from jaxtyping import Bool, UInt8
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import flood

from rsedu.errors import InputError
from rsedu.scenes.indices import ndvi
from rsedu.scenes.scene import Scene
from rsedu.segment.regions import components, filled

WATER_B08 = 0.1  # reflectance in the near infrared below which a pixel is water


def region_growing(
    image: UInt8[np.ndarray, "rows cols 3"], click: tuple[int, int], *, tolerance: float = 24.0
) -> Bool[np.ndarray, "rows cols"]:
    """Grow a region from a click over pixels of its colour (scikit-image's flood).

    A pixel belongs to it when it touches it along an edge, and none of its three colours differs
    from the clicked pixel's by more than the tolerance. The image is smoothed first (median of
    3 x 3), as one would to grow over noise.

    The image is red, green and blue, the click (col, row), the tolerance in steps of 255.
    """
    col, row = click
    if not (0 <= row < image.shape[0] and 0 <= col < image.shape[1]):
        raise InputError(f"The click (col {col}, row {row}) is outside an image of {image.shape}.")
    smooth = ndimage.median_filter(image, size=(3, 3, 1)).astype(np.int16)
    furthest = np.abs(smooth - smooth[row, col]).max(axis=2)
    near = furthest <= tolerance
    return np.asarray(flood(near, (row, col), connectivity=1))  # type: ignore[no-untyped-call]


def ndvi_threshold(scene: Scene) -> float:
    """Otsu's threshold: the NDVI that parts a scene into two groups of least spread."""
    index = ndvi(scene)
    known = index[np.isfinite(index)]
    if not known.size:
        raise InputError(
            "No pixel of the scene is valid and has an NDVI: choose another date, or a part that "
            "was observed."
        )
    return float(threshold_otsu(known))  # type: ignore[no-untyped-call]


def patches(
    scene: Scene,
    *,
    green: bool = False,
    threshold: float | None = None,
    least_ha: float = 0.5,
    most_ha: float = math.inf,
) -> tuple[Bool[np.ndarray, "rows cols"], ...]:
    """Outline what is bare, or what is green, by NDVI and connected components; largest first.

    The NDVI is smoothed (median of 3 x 3), water is left out (near infrared below 0.1), threads
    of one pixel are cut, and holes smaller than the least patch are filled as far as they are land.

    Args:
        scene: B04 and B08 as reflectance.
        green: patches above the threshold, not below.
        threshold: NDVI that parts bare from green; None: `ndvi_threshold`.
        least_ha: smaller patches are left out, hectares.
        most_ha: larger patches are left out, hectares.
    """
    if not scene.valid.any():
        raise InputError(
            "No pixel of the scene is valid: choose another date, or a part that was observed."
        )
    limit = ndvi_threshold(scene) if threshold is None else threshold
    index = ndimage.median_filter(np.nan_to_num(ndvi(scene), nan=-1.0), size=3)
    land = scene.valid & (np.nan_to_num(scene.band("B08")) > WATER_B08)
    wanted = ndimage.binary_opening(land & ((index >= limit) == green))
    least_px = max(1, math.ceil(least_ha * 10_000 / scene.gsd_m**2))
    wanted = filled(wanted, below_px=least_px) & land  # a pond stays water
    parts = components(wanted, least_px=least_px)
    return tuple(part for part in parts if part.sum() * scene.gsd_m**2 <= most_ha * 10_000)
