"""Scene to tensor, normalised: the only border from numpy to torch.

Mean and deviation of each band are fixed, so that the same pixel always gives the same number.

Statistics of the batch at hand (as the released CROMA uses) make a cloudy or uniform batch into
noise: the deviation is near zero, and whatever is left is blown up to fill the range.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    mean, deviation = _matched(array, bands)
    scaled: np.ndarray = (array - mean) / deviation
    return scaled.astype(np.float32)


def denormalise(
    array: Float[np.ndarray, "*batch bands rows cols"], bands: Sequence[str]
) -> Float[np.ndarray, "*batch bands rows cols"]:
    """Undo `normalise`: back to reflectance and dB.

    Args:
        array: (..., C, H, W), standardised.
        bands: C names.

    Returns:
        Same shape, float32, reflectance for optical bands and dB for radar bands.

    Raises:
        InputError: as in `normalise`.
    """
    mean, deviation = _matched(array, bands)
    physical: np.ndarray = array * deviation + mean
    return physical.astype(np.float32)


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
    scaled: np.ndarray = np.clip(0.5 + (images - middle) / width, 0, 1)
    return scaled.astype(np.float32)


def _matched(array: np.ndarray, bands: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    if array.shape[-3] != len(bands):
        raise InputError(
            f"The array has {array.shape[-3]} bands and {len(bands)} names were given; the bands "
            "are the third axis from the end."
        )
    return _columns(bands)


def as_tiles(
    array: Float[np.ndarray, "batch bands rows cols"],
    bands: Sequence[str],
    gsd_m: Float[np.ndarray, "batch"],
) -> dict[str, Tensor]:
    """Standardise tiles and sort their bands by sensor.

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
    """Return the pixels as a tensor, and the side of a pixel.

    Args:
        scene: any scene.
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


def _starts(size: int, tile: int, step: int) -> list[int]:
    """First pixels of tiles that cover `size`; the last one is pushed back to end at the edge."""
    regular = list(range(0, size - tile + 1, step))
    return regular if regular[-1] + tile == size else [*regular, size - tile]


def tile(
    scene: Scene, *, size_px: int, overlap_px: int = 0
) -> Iterator[tuple[slice, slice, Scene]]:
    """Cut a scene into square tiles that cover all of it.

    Tiles at the east and south edge are pushed back inside, so they may overlap more than asked.

    Args:
        scene: any scene of at least size_px rows and columns.
        size_px: side of a tile, pixels.
        overlap_px: shared by neighbours, pixels; at least 0 and below size_px.

    Yields:
        (rows, cols, tile) from the north-west, row by row.

    Raises:
        InputError: the scene is smaller than a tile, or the overlap is not below its side.
    """
    if not 0 <= overlap_px < size_px:
        raise InputError(f"overlap_px is {overlap_px}; it must be in [0, {size_px - 1}].")
    if min(scene.shape) < size_px:
        raise InputError(
            f"A scene of {scene.shape[0]} x {scene.shape[1]} px holds no tile of {size_px} px: "
            "choose smaller tiles."
        )
    height, width = scene.shape
    for top in _starts(height, size_px, size_px - overlap_px):
        for left in _starts(width, size_px, size_px - overlap_px):
            rows, cols = slice(top, top + size_px), slice(left, left + size_px)
            yield rows, cols, scene.crop(rows=rows, cols=cols)


def merge(
    tiles: list[tuple[slice, slice, Float32[Tensor, "bands size size"]]], shape: tuple[int, int]
) -> Float32[Tensor, "bands rows cols"]:
    """Put tiles back together: the mean where they overlap, NaN where there is none.

    Args:
        tiles: (rows, cols, values) as `tile` cuts them; all with the same number of bands.
        shape: (rows, cols) of the whole.

    Raises:
        InputError: no tiles.
    """
    if not tiles:
        raise InputError("There are no tiles to merge.")
    first = tiles[0][2]
    total = first.new_zeros((len(first), *shape), dtype=torch.float64)
    count = first.new_zeros(shape, dtype=torch.float64)
    for rows, cols, values in tiles:
        total[:, rows, cols] += values
        count[rows, cols] += 1
    return (total / count).float()
