"""Percentile stretch: bands as 0 to 1 for figures, and as the 8-bit colours that SAM reads."""

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from rsedu.errors import InputError
from rsedu.scenes.scene import Scene

LOW, HIGH = 2.0, 98.0  # percentiles of a band that become 0 and 255


def unit_stretch(
    values: Shaped[np.ndarray, "*bands rows cols"],
    *,
    like: Shaped[np.ndarray, "*bands otherrows othercols"] | None = None,
    low: float = LOW,
    high: float = HIGH,
) -> Float[np.ndarray, "*bands rows cols"]:
    """Map each band's own `low` and `high` percentiles to 0 and 1, and clip.

    Per band, because one bright cloud in one band must not darken all of them.
    NaN (no data) becomes 0. A constant band becomes 0.

    Args:
        values: bands of one picture.
        like: bands whose percentiles count, where two pictures are to be compared; `values` if
            None.
        low: percentile, 0 to 100.
        high: percentile, 0 to 100.
    """
    judged = values if like is None else like
    floor, ceiling = np.nanpercentile(judged, [low, high], axis=(-2, -1), keepdims=True)
    span = np.where(ceiling > floor, ceiling - floor, 1.0)
    return np.asarray(np.nan_to_num(np.clip((values - floor) / span, 0.0, 1.0)))


def stretch(
    band: Float[np.ndarray, "rows cols"],
    *,
    valid: Bool[np.ndarray, "rows cols"] | None = None,
    low: float = LOW,
    high: float = HIGH,
) -> UInt8[np.ndarray, "rows cols"]:
    """Bring one band to 0 to 255 by `unit_stretch`.

    Where both percentiles are one value, smallest and largest take their place.

    Args:
        band: of any unit.
        valid: pixels that count; others become 0. None: those that are finite.
        low: percentile that becomes 0.
        high: percentile that becomes 255.

    Returns:
        (rows, cols); 0 everywhere where the band is constant or nothing is valid.

    Raises:
        InputError: the percentiles are not ``0 <= low < high <= 100``.
    """
    if not 0 <= low < high <= 100:
        raise InputError(f"Percentiles {low:g} and {high:g}; wanted 0 <= low < high <= 100.")
    usable = np.isfinite(band) if valid is None else valid & np.isfinite(band)
    if not usable.any():
        return np.zeros(band.shape, dtype=np.uint8)
    bottom, top = np.percentile(band[usable], (low, high))
    limits = (low, high) if top > bottom else (0, 100)  # nearly constant: show what differs
    unit = unit_stretch(np.where(usable, band, np.nan), low=limits[0], high=limits[1])
    return np.asarray(np.round(255 * unit).astype(np.uint8))


def rgb(
    scene: Scene,
    *,
    bands: tuple[str, str, str] = ("B04", "B03", "B02"),
    low: float = LOW,
    high: float = HIGH,
) -> UInt8[np.ndarray, "rows cols 3"]:
    """Show three bands of a scene as red, green and blue, each stretched by its own percentiles.

    Args:
        scene: of any unit; radar in dB shows more than linear power does.
        bands: for red, green and blue; one name thrice gives grey.
        low: percentile of each band that becomes 0.
        high: percentile of each band that becomes 255.

    Returns:
        (rows, cols, 3), 0 where the scene is not valid.

    Raises:
        InputError: a band is not there, or the percentiles are out of order.
    """
    planes = [stretch(scene.band(name), valid=scene.valid, low=low, high=high) for name in bands]
    return np.stack(planes, axis=-1)
