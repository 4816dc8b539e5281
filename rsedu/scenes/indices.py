"""NDVI and other normalised differences of two bands."""

import numpy as np
from jaxtyping import Float32

from rsedu.scenes.scene import Scene


def normalised_difference(
    first: Float32[np.ndarray, "*shape"], second: Float32[np.ndarray, "*shape"]
) -> Float32[np.ndarray, "*shape"]:
    """Divide the difference of two bands by their sum, ``(first - second) / (first + second)``.

    Args:
        first: reflectance of the band that is bright on what is looked for. Values below 0, which
            atmospheric correction leaves in shade and water, count as 0, also in `second`.
        second: reflectance of the band that is dark on it.

    Returns:
        Same shape, -1 to 1; NaN where a value is NaN or neither is above 0.
    """
    above, below = np.maximum(first, np.float32(0)), np.maximum(second, np.float32(0))
    total = above + below
    return np.where(total > 0, (above - below) / np.where(total > 0, total, 1), np.float32(np.nan))


def ndvi(scene: Scene) -> Float32[np.ndarray, "rows cols"]:
    """Normalised difference vegetation index, ``(B08 - B04) / (B08 + B04)``, -1 to 1.

    Leaves reflect near infrared (B08) and absorb red (B04): forest has about 0.8, bare soil 0.3,
    water less than 0. Source: J. W. Rouse et al., Monitoring Vegetation Systems in the Great Plains
    with ERTS, NASA SP-351, 1974.

    Args:
        scene: B04 and B08 as reflectance.

    Returns:
        (rows, cols); NaN where the scene is not valid or neither band is above 0.

    Examples:
        >>> from affine import Affine
        >>> red, near_infrared = [[0.05, 0.2, 0.1]], [[0.45, 0.3, 0.02]]  # forest, soil, water
        >>> scene = Scene(
        ...     array=np.array([red, near_infrared]),
        ...     bands=("B04", "B08"),
        ...     units=("reflectance", "reflectance"),
        ...     transform=Affine(10, 0, 0, 0, -10, 0),
        ...     crs=None,
        ... )
        >>> print(ndvi(scene).round(2))
        [[ 0.8   0.2  -0.67]]
    """
    return normalised_difference(scene.band("B08"), scene.band("B04"))
