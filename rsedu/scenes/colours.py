"""Any three bands as the 8-bit colours that SAM reads."""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from rsedu.errors import InputError
from rsedu.scenes.scene import Scene

LOW, HIGH = 2.0, 98.0  # percentiles of a band that become 0 and 255


def stretch(
    band: Float[np.ndarray, "rows cols"],
    *,
    valid: Bool[np.ndarray, "rows cols"] | None = None,
    low: float = LOW,
    high: float = HIGH,
) -> UInt8[np.ndarray, "rows cols"]:
    """Bring one band to 0 to 255 by its own percentiles; what lies beyond is cut off.

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
    seen = np.isfinite(band) if valid is None else valid & np.isfinite(band)
    if not seen.any():
        return np.zeros(band.shape, dtype=np.uint8)
    bottom, top = np.percentile(band[seen], (low, high))
    if top <= bottom:  # nearly constant: what differs is worth seeing
        bottom, top = band[seen].min(), band[seen].max()
    if top <= bottom:
        return np.zeros(band.shape, dtype=np.uint8)
    scaled = np.clip((np.where(seen, band, bottom) - bottom) / (top - bottom), 0, 1)
    eight_bits: np.ndarray = np.round(255 * scaled).astype(np.uint8)
    return eight_bits


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
