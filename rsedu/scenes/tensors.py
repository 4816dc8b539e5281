"""Scenes to tensors, normalised: the border from numpy to torch.

Mean and deviation of each band are fixed, so that the same pixel always gives the same number.
Statistics of the batch at hand (as the released CROMA uses) make a cloudy or uniform batch into
noise: the deviation is near zero, and whatever is left is blown up to fill the range.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from rsedu.errors import InputError
from rsedu.scenes.bands import S1_BANDS, S2_BANDS
from rsedu.scenes.grid import Number
from rsedu.scenes.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """One band's values over many places.

    Attributes:
        mean: reflectance for optical bands, dB for radar bands.
        deviation: standard deviation of pixels, same unit.
    """

    mean: float
    deviation: float


#: From the five real pairs of `samples.pairs()` without snow and from five training worlds of the
#: synthetic frontier under clear sky, each place counting the same. Snow and clouds lie far
#: outside, as they should: with them in, the whole forest would be one number. The table is
#: measured again by `tests/scenes/test_tensors.py`.
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


def _moments(array: np.ndarray, bands: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each band of an array, (C, 1, 1) float32."""
    unknown = [name for name in bands if name not in STATISTICS]
    if unknown:
        raise InputError(
            f"No statistics for {', '.join(unknown)}; there are some for {', '.join(STATISTICS)}."
        )
    if array.shape[-3] != len(bands):
        raise InputError(
            f"The array has {array.shape[-3]} bands and {len(bands)} names were given; the bands "
            "are the third axis from the end."
        )
    rows = [(STATISTICS[name].mean, STATISTICS[name].deviation) for name in bands]
    mean, deviation = np.array(rows, dtype=np.float32).T
    return mean[:, None, None], deviation[:, None, None]


def normalise(
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
    mean, deviation = _moments(array, bands)
    return np.asarray((array - mean) / deviation, dtype=np.float32)


def denormalise(
    array: Float[np.ndarray, "*batch bands rows cols"], bands: Sequence[str]
) -> Float[np.ndarray, "*batch bands rows cols"]:
    """Undo `normalise`: back to reflectance and dB.

    Args:
        array: (..., C, H, W), normalised.
        bands: C names, of Sentinel-2 ("B02") or Sentinel-1 ("VV").

    Returns:
        Same shape, float32, reflectance for optical bands and dB for radar bands.
    """
    mean, deviation = _moments(array, bands)
    return np.asarray(array * deviation + mean, dtype=np.float32)


def scale_by_batch(
    images: Float[np.ndarray, "batch bands rows cols"], *, deviations: float = 2.0
) -> Float[np.ndarray, "batch bands rows cols"]:
    """Clip each band to the mean +- 2 deviations of the batch and stretch it to [0, 1].

    As the README of the published CROMA has it; `normalise` is what the kit uses. Here the same
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
    return np.asarray(np.clip(0.5 + (images - middle) / width, 0, 1), dtype=np.float32)


def as_tiles(
    array: Float[np.ndarray, "batch bands rows cols"],
    bands: Sequence[str],
    gsd_m: Float[np.ndarray, "batch"],
) -> dict[str, Tensor]:
    """Normalise tiles and sort their bands by sensor.

    Args:
        array: (B, C, H, W), reflectance for optical bands, dB for radar bands.
        bands: C names in the order of the array.
        gsd_m: (B,) metres per pixel.

    Returns:
        "optical" in the order of `S2_BANDS`, "radar" in that of `S1_BANDS`, each where all or
        some of its bands are there, float32; "gsd" (B,) float32.
    """
    tiles = {"gsd": torch.from_numpy(gsd_m.astype(np.float32))}
    for sensor, order in (("optical", S2_BANDS), ("radar", S1_BANDS)):
        names = [name for name in order if name in bands]
        if names:
            chosen = array[:, [list(bands).index(name) for name in names]]
            tiles[sensor] = torch.from_numpy(normalise(chosen, names))
    return tiles


def to_tensor(
    scene: Scene, *, fill: Number | None = None
) -> tuple[Float32[Tensor, "bands rows cols"], float]:
    """Copy the pixels into a tensor, in the bands' own units, and return the side of a pixel.

    Args:
        scene: of any bands.
        fill: value for pixels that are not valid, in the bands' unit. Left out, such pixels are an
            error, since one NaN turns every weight of a network into NaN. The mask is scene.valid.

    Returns:
        ((bands, rows, cols) float32 on the CPU, metres per pixel). The tensor owns its memory.

    Raises:
        InputError: not every pixel is valid, and no fill was given.
    """
    if scene.is_masked and fill is None:
        raise InputError(
            f"{scene} has {int((~scene.valid).sum())} pixels that are not valid: crop them away, "
            "or pass fill=0.0, say, and keep scene.valid to leave them out of the loss."
        )
    array = scene.array if fill is None else np.where(scene.valid, scene.array, np.float32(fill))
    return torch.from_numpy(np.array(array, dtype=np.float32)), scene.gsd_m
