"""Energy by band and land cover class, and bilinear enlargement: what lesson 04 measures with."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from rsedu.errors import InputError
from rsedu.scenes.bands import S2_BANDS
from rsedu.scenes.tensors import normalise
from rsedu.synthetic.frontier import Frontier
from rsedu.synthetic.land_cover import COVERS, ROAD, WATER

OPTICAL_BANDS = ("B02", "B03", "B04", "B08")
#: Pixels per sample where the bands end, as Scale-MAE's are for a patch of 8 x 8 target pixels.
FINE_PX, COARSE_PX = 2, 8


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Whose detail a band holds.

    Attributes:
        energy: share of the band's energy that lies on pixels of the kind, 0 to 1.
        area: share of the pixels that are of the kind, 0 to 1; what `energy` would be by chance.
    """

    energy: float
    area: float


def upsample_bilinear(
    image: Float[np.ndarray, "rows cols"], shape: tuple[int, ...]
) -> Float[np.ndarray, "newrows newcols"]:
    """Enlarge an image, linear between the centres of its pixels; beyond them the edge goes on.

    The same as torch's `interpolate(mode="bilinear", align_corners=False)`.

    Args:
        image: any unit.
        shape: (rows, cols) of the result, no smaller than the image.

    Raises:
        InputError: `shape` is smaller than the image.
    """
    rows, cols = shape
    if rows < image.shape[0] or cols < image.shape[1]:
        raise InputError(
            f"An image of {image.shape} can't be enlarged to {tuple(shape)}: give more pixels, or "
            "average blocks to make it smaller."
        )
    along, across = _weights(image.shape[0], rows), _weights(image.shape[1], cols)
    enlarged: np.ndarray = along @ image @ across.T
    return enlarged.astype(image.dtype)


def _weights(old: int, new: int) -> Float[np.ndarray, "new old"]:
    """How much each old pixel counts in each new one, along one axis."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    distance = np.abs(centres[:, None] - np.arange(old))
    return np.asarray(np.clip(1 - distance, 0, None))


def coarse(image: Float[np.ndarray, "rows cols"], pixels: int) -> Float[np.ndarray, "rows cols"]:
    """What samples of `pixels` x `pixels` can hold: average down, enlarge again.

    Args:
        image: whole blocks each way.
        pixels: side of a sample.
    """
    rows, cols = image.shape
    blocks = image.reshape(rows // pixels, pixels, cols // pixels, pixels)
    means: np.ndarray = blocks.mean(axis=(1, 3))
    return upsample_bilinear(means, image.shape)


def three_bands(image: Float[np.ndarray, "rows cols"]) -> dict[str, Float[np.ndarray, "rows cols"]]:
    """High: finer than 2 px. Middle: 2 to 8 px. Low: coarser, without its mean. They add up.

    Args:
        image: in blocks of 8 x 8 pixels, any unit.
    """
    fine, rough = coarse(image, FINE_PX), coarse(image, COARSE_PX)
    mean = image.mean()
    return {"high": image - fine, "middle": fine - rough, "low": rough - mean}


def held_by(
    energy: Float[np.ndarray, "rows cols"], kind: Bool[np.ndarray, "rows cols"]
) -> Holdings:
    """Share of `energy` that lies on the pixels of a kind."""
    return Holdings(energy=float(energy[kind].sum() / energy.sum()), area=float(kind.mean()))


def energy_by_class(
    place: Frontier, *, gsd_m: float, date: float = 2018.0
) -> dict[str, dict[str, Holdings]]:
    """Whose energy lies in which band, over the four standardised bands of 10 m.

    Args:
        place: looked at under clear sky; its side holds whole blocks of 8 pixels.
        gsd_m: a multiple of 2.5 m.
        date: decimal year.

    Returns:
        By band ("high", "middle", "low") and kind: "road" and "river" are the pixels that hold
        any of it.
    """
    optical = place.optical(date=date, gsd_m=gsd_m).select(*OPTICAL_BANDS)
    images = normalise(optical.array, OPTICAL_BANDS)
    fractions = place.truth(date=date, gsd_m=gsd_m).fractions
    kinds = {"road": fractions[ROAD] > 0, "river": fractions[WATER] > 0}
    split = [three_bands(image) for image in images]
    table = {}
    for name in ("high", "middle", "low"):
        energy = np.sum([bands[name] ** 2 for bands in split], axis=0)
        table[name] = {kind: held_by(energy, where) for kind, where in kinds.items()}
    return table


def explained_energy(place: Frontier, *, gsd_m: float, date: float = 2018.0) -> float:
    """How much of the high band a perfect map of the classes explains.

    What remains is texture, crown by crown, which nothing around it foretells.

    Args:
        place: looked at under clear sky; its side holds whole blocks of 2 pixels.
        gsd_m: a multiple of 2.5 m.
        date: decimal year.

    Returns:
        1 - energy of what is not explained / energy of the high band, over four bands; at most 1.
    """
    numbers = [S2_BANDS.index(name) for name in OPTICAL_BANDS]
    spectra = np.array([cover.reflectance for cover in COVERS], dtype=np.float32)[:, numbers]
    fractions = place.truth(date=date, gsd_m=gsd_m).fractions
    drawn = normalise(np.einsum("krc,kb->brc", fractions, spectra), OPTICAL_BANDS)
    optical = normalise(
        place.optical(date=date, gsd_m=gsd_m).select(*OPTICAL_BANDS).array, OPTICAL_BANDS
    )
    high, left = (
        [band - coarse(band, FINE_PX) for band in image] for image in (optical, optical - drawn)
    )
    return float(1 - np.square(left).sum() / np.square(high).sum())
