"""Fixed mean and deviation of each band, so that the same pixel always gives the same number.

Statistics of the batch at hand (as the released CROMA uses) make a cloudy or uniform batch into
noise: the deviation is near zero, and whatever is left is blown up to fill the range.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rsedu.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """One band's values over many places.

    Attributes:
        mean: reflectance for optical bands, dB for radar bands.
        deviation: standard deviation of pixels, same unit.
    """

    mean: float
    deviation: float


#: By `measure` from the five real pairs of `samples.pairs()` without snow and from five training
#: worlds of the synthetic frontier under clear sky. Snow and clouds lie far outside, as they
#: should: with them in, the whole forest would be one number. The table is measured again by
#: `tests/scenes/test_statistics.py`.
STATISTICS: dict[str, Statistic] = {
    "B01": Statistic(mean=0.0277, deviation=0.0206),
    "B02": Statistic(mean=0.0330, deviation=0.0243),
    "B03": Statistic(mean=0.0599, deviation=0.0331),
    "B04": Statistic(mean=0.0466, deviation=0.0397),
    "B05": Statistic(mean=0.0968, deviation=0.0460),
    "B06": Statistic(mean=0.2353, deviation=0.0925),
    "B07": Statistic(mean=0.2896, deviation=0.1163),
    "B08": Statistic(mean=0.3042, deviation=0.1190),
    "B8A": Statistic(mean=0.3178, deviation=0.1224),
    "B09": Statistic(mean=0.3200, deviation=0.1180),
    "B11": Statistic(mean=0.1779, deviation=0.0695),
    "B12": Statistic(mean=0.0969, deviation=0.0564),
    "VV": Statistic(mean=-10.4778, deviation=3.4810),
    "VH": Statistic(mean=-16.1871, deviation=3.5074),
}


def measure(
    pixels: Iterable[Mapping[str, Float[np.ndarray, "..."]]],
) -> dict[str, Statistic]:
    """Mean and deviation of each band; each place counts the same, however large it is.

    Args:
        pixels: for each place band name -> values; NaN does not count.

    Returns:
        Band name -> statistic, in the order of first appearance.

    Raises:
        InputError: a band has no finite value anywhere.
    """
    moments: dict[str, list[tuple[float, float]]] = {}
    for place in pixels:
        for name, values in place.items():
            seen = values[np.isfinite(values)].astype(np.float64)
            if seen.size:
                moments.setdefault(name, []).append((seen.mean(), np.square(seen).mean()))
            else:
                moments.setdefault(name, [])
    empty = [name for name, found in moments.items() if not found]
    if empty:
        raise InputError(f"No valid pixel of {', '.join(empty)} in any place; check the masks.")
    table = {}
    for name, found in moments.items():
        mean, square = np.mean(found, axis=0)
        table[name] = Statistic(mean=float(mean), deviation=float(np.sqrt(square - mean**2)))
    return table


def _columns(bands: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation as (C, 1, 1) float32."""
    unknown = [name for name in bands if name not in STATISTICS]
    if unknown:
        raise InputError(
            f"No statistics for {', '.join(unknown)}; there are some for {', '.join(STATISTICS)}."
        )
    rows = [(STATISTICS[name].mean, STATISTICS[name].deviation) for name in bands]
    mean, deviation = np.array(rows, dtype=np.float32).T
    return mean[:, None, None], deviation[:, None, None]


def standardise(
    array: Float[np.ndarray, "*batch bands rows cols"], bands: Sequence[str]
) -> Float[np.ndarray, "*batch bands rows cols"]:
    """Subtract the mean of each band and divide by its deviation.

    Args:
        array: (..., C, H, W), reflectance for optical bands, dB for radar bands.
        bands: C names, of Sentinel-2 ("B02") or Sentinel-1 ("VV").

    Returns:
        Same shape, float32, about within [-3, 3]; 0 is an average pixel.

    Raises:
        InputError: a band has no statistics, or their number is not that of the array.
    """
    mean, deviation = _matched(array, bands)
    scaled: np.ndarray = (array - mean) / deviation
    return scaled.astype(np.float32)


def restore(
    array: Float[np.ndarray, "*batch bands rows cols"], bands: Sequence[str]
) -> Float[np.ndarray, "*batch bands rows cols"]:
    """Undo `standardise`: back to reflectance and dB.

    Args:
        array: (..., C, H, W), standardised.
        bands: C names.

    Returns:
        Same shape, float32, reflectance for optical bands and dB for radar bands.

    Raises:
        InputError: as in `standardise`.
    """
    mean, deviation = _matched(array, bands)
    physical: np.ndarray = array * deviation + mean
    return physical.astype(np.float32)


def scale_by_batch(
    images: Float[np.ndarray, "batch bands rows cols"], *, deviations: float = 2.0
) -> Float[np.ndarray, "batch bands rows cols"]:
    """Clip each band to the mean +- 2 deviations of the batch and stretch it to [0, 1].

    As the README of the published CROMA has it; `standardise` is what the kit uses. Here the same
    pixel gives another number in another batch: a cloud beside it darkens it, and among nothing but
    clouds, whatever is left of contrast fills the range.

    Args:
        images: (B, C, H, W), any unit.
        deviations: how far from the mean the range reaches.

    Returns:
        Same shape, float32, in [0, 1]; 0.5 for a band that is the same everywhere.

    Raises:
        InputError: deviations is not above 0.
    """
    if deviations <= 0:
        raise InputError(f"deviations is {deviations:g}; wanted a number above 0, such as 2.")
    middle = images.mean(axis=(0, 2, 3), keepdims=True)
    reach = deviations * images.std(axis=(0, 2, 3), keepdims=True)
    width = np.where(reach > 0, 2 * reach, 1)
    scaled: np.ndarray = np.clip(0.5 + (images - middle) / width, 0, 1)
    return scaled.astype(np.float32)


def _matched(array: np.ndarray, bands: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    if array.shape[-3] != len(bands):
        raise InputError(
            f"The array has {array.shape[-3]} bands and {len(bands)} names were given; the bands "
            "are the third axis from the end."
        )
    return _columns(bands)
